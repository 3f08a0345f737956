package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// dicomPort is the PACS's.
const dicomPort = 104

// proposed are the SOP classes of an ultrasound; its context ids are 1, 3, 5, …
func proposed() []string {
	return []string{wire.UIDUSMultiFrame, wire.UIDUSImage, wire.UIDWorklistFind, wire.UIDPerformedStep, wire.UIDVerification}
}

// Context ids of proposed.
const (
	multiFrame = 1
	image      = 3
	worklist   = 5
	performed  = 7
)

// Exam holds one association for the whole run and stores an image in it every
// second: the one that is already open when the agent's capture starts. begun
// is closed once it stands.
func (s *Stage) Exam(ctx context.Context, begun chan<- struct{}) error {
	c, err := s.associate(ctx)
	if err != nil {
		return fmt.Errorf("ultrasound: first association: %w", err)
	}
	defer c.Close()
	close(begun)
	var message atomic.Uint32
	every(ctx, time.Second, func() {
		err := s.store(c, uint16(message.Add(1)), image, wire.UIDUSImage, 6000, 1200)
		s.report(ctx, Talk{cast.Ultrasound, cast.PACS, "tcp/104", "DICOM image stored", err})
	})
	return nil
}

// Ultrasound opens an association every few seconds, asks for the worklist and
// stores a clip, until ctx ends.
func (s *Stage) Ultrasound(ctx context.Context) error {
	every(ctx, 3*time.Second, func() {
		s.report(ctx, Talk{cast.Ultrasound, cast.PACS, "tcp/104", "DICOM association with worklist and clip", s.visit(ctx)})
	})
	return nil
}

func (s *Stage) visit(ctx context.Context) error {
	c, err := s.associate(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.tell(c, wire.Find(worklist, 1)); err != nil {
		return fmt.Errorf("worklist query: %w", err)
	}
	patient := s.Ward.Cast.Patient
	step := fmt.Sprintf("1.2.840.113619.2.%d.7", time.Now().Unix())
	if err := s.tell(c, wire.Perform(performed, 3, wire.CommandCreate, step, "IN PROGRESS", patient.Family, patient.Given)); err != nil {
		return fmt.Errorf("procedure step: %w", err)
	}
	// A clip: three P-DATA PDUs of up to 8 KB, each longer than a TCP segment.
	if err := s.store(c, 2, multiFrame, wire.UIDUSMultiFrame, 20000, 8000); err != nil {
		return err
	}
	if err := s.tell(c, wire.Perform(performed, 4, wire.CommandSet, step, "COMPLETED", patient.Family, patient.Given)); err != nil {
		return fmt.Errorf("procedure step: %w", err)
	}
	if _, err := c.Write(wire.ReleaseRequest()); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if p, err := wire.ReadPDU(c); err != nil || p.Type != wire.DICOMReleaseRP {
		return errors.Join(errNoRelease, err)
	}
	return nil
}

var (
	errNoRelease   = errors.New("association release not answered")
	errNotAssented = errors.New("association not accepted")
	errStatus      = errors.New("command answered without a response set")
)

func (s *Stage) associate(ctx context.Context) (net.Conn, error) {
	us, pacs := s.host(cast.Ultrasound), s.host(cast.PACS)
	c, err := s.dial(ctx, cast.Ultrasound, cast.PACS, dicomPort, time.Hour)
	if err != nil {
		return nil, err
	}
	// GE's root for implementations (PS3.7 D.3.3.2); the arc below is made up.
	a := wire.Association{Called: aeTitle(pacs.Name), Calling: "LOGIQE9_" + us.Serial[:4], Abstract: proposed(),
		Implementation: "1.2.840.113619.6.260.4.1", ImplementVersion: "LOGIQE9_" + us.SW}
	if _, err := c.Write(a.Request()); err != nil {
		c.Close()
		return nil, fmt.Errorf("association request: %w", err)
	}
	if p, err := wire.ReadPDU(c); err != nil || p.Type != wire.DICOMAssociateAC {
		c.Close()
		return nil, errors.Join(errNotAssented, err)
	}
	return c, nil
}

// aeTitle makes an application entity title of a host name.
func aeTitle(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// store sends one object and waits for its response.
func (s *Stage) store(c net.Conn, message uint16, context byte, class string, size, chunk int) error {
	patient := s.Ward.Cast.Patient
	// An instance UID below GE's root for instances, unlike any before it.
	instance := fmt.Sprintf("1.2.840.113619.2.%d.%d", time.Now().Unix(), message)
	if err := s.tell(c, wire.Store(context, message, class, instance, patient.Family, patient.Given, size, chunk)); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// tell sends a command and waits for its response.
func (s *Stage) tell(c net.Conn, pdus [][]byte) error {
	for _, p := range pdus {
		if _, err := c.Write(p); err != nil {
			return err
		}
	}
	return success(c)
}

// success awaits a response command set.
func success(c net.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	p, err := wire.ReadPDU(c)
	if err != nil {
		return err
	}
	values, err := wire.Values(p.Body)
	if err != nil {
		return err
	}
	if p.Type != wire.DICOMData || len(values) != 1 || !values[0].Command {
		return errStatus
	}
	return nil
}
