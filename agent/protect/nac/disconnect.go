package nac

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/protect/nac/internal/radius"
)

const (
	// resend is the wait for an answer before the same request is sent again, longer
	// by as much each time.
	resend = time.Second
	// teardown is how long a NAS may still be taking the session down after its
	// acknowledgement: with hostapd a device that came back within it was dropped
	// again, and did not notice.
	teardown = 8 * time.Second
)

// disconnect is the hook "radius-disconnect": it ends the session of the device
// at the NAS (RFC 5176). Nothing of it stays there, so undoing is to have the
// device authenticate again; it is the RADIUS server that may refuse it meanwhile.
type disconnect struct {
	common
	server     string // host:port
	secret     []byte
	identifier string     // NAS-Identifier, "" for none
	address    netip.Addr // NAS-IP-Address, not valid for none
	clock      *clock.Clock
	prompt     func(ctx context.Context, port string, mac [6]byte) error
}

func (d *disconnect) UndoStep() string {
	return "have the device authenticate again: replug it, or clear its session at " + d.server
}

func (d *disconnect) Apply(ctx context.Context, r Request) Result {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	station := strings.ToUpper(strings.ReplaceAll(r.MAC.String(), ":", "-")) // RFC 3580, section 3.21
	req := radius.Disconnect{Station: station, NASIdentifier: d.identifier, NASAddress: d.address, Time: uint32(d.clock.Now().Wall.Unix())}
	id, err := rand.Int(rand.Reader, big.NewInt(256))
	if err != nil {
		return Result{Outcome: Refused, Text: err.Error()}
	}
	req.Identifier = byte(id.Int64())
	packet, err := req.Encode(d.secret)
	if err != nil {
		return Result{Outcome: Refused, Text: err.Error()}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", d.server)
	if err != nil {
		return Result{Outcome: Refused, Text: fmt.Sprintf("reach %s: %v", d.server, err)}
	}
	a, tries, err := d.exchange(ctx, conn, packet)
	switch {
	case err != nil:
		return Result{Outcome: Unsure, Text: err.Error()}
	case a.ACK:
		return Result{Outcome: Done, Text: a.String()}
	case a.Cause == radius.NoSession && (tries > 1 || r.Again):
		// The answer to an earlier request was lost, and that one ended the session:
		// who takes this for a refusal leaves the device cut off in the end.
		return Result{Outcome: Done, Text: a.String() + ", after an earlier request"}
	}
	return Result{Outcome: Refused, Text: a.String()}
}

// exchange sends the packet until an authentic answer comes or ctx ends, and
// closes the connection. It returns how many times it sent it.
func (d *disconnect) exchange(ctx context.Context, conn net.Conn, packet []byte) (radius.Answer, int, error) {
	answers := make(chan radius.Answer, 1)
	foreign := 0
	var reader sync.WaitGroup
	reader.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // the NAS may just be starting: ICMP says that nobody listens
				if !wait(ctx, resend/10) {
					return
				}
				continue
			}
			a, err := radius.Verify(buf[:n], packet, d.secret)
			if err == nil {
				answers <- a
				return
			}
			foreign++
		}
	})
	defer reader.Wait()
	defer conn.Close()
	for tries := 1; ; tries++ {
		_, _ = conn.Write(packet) // it is sent again
		again := time.NewTimer(time.Duration(tries) * resend)
		select {
		case a := <-answers:
			again.Stop()
			return a, tries, nil
		case <-again.C:
			continue
		case <-ctx.Done():
			again.Stop()
		}
		conn.Close()
		reader.Wait()
		if foreign > 0 {
			return radius.Answer{}, tries, fmt.Errorf("%d answers from %s are not authentic: wrong secret?", foreign, d.server)
		}
		return radius.Answer{}, tries, fmt.Errorf("no answer from %s (a wrong secret is not answered, nor a time stamp that is off)", d.server)
	}
}

func (d *disconnect) Undo(ctx context.Context, r Request) Result {
	if d.prompt == nil || r.Port == "" {
		return Result{Outcome: Done, Text: "the device may authenticate again; nothing is kept at " + d.server}
	}
	if !wait(ctx, teardown-r.Since) {
		return Result{Outcome: Unsure, Text: "interrupted"}
	}
	if err := d.prompt(ctx, r.Port, r.MAC); err != nil {
		return Result{Outcome: Unsure, Text: fmt.Sprintf("ask the device to authenticate again: %v", err)}
	}
	return Result{Outcome: Done, Text: "asked the device to authenticate again"}
}
