package agent

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// explained is why a device is what it is held to be. Of what it said about
// itself only vendor, model and version are told, as at the console.
type explained struct {
	Device        device.ID          `json:"device"`
	Port          string             `json:"port"`
	LastSeen      time.Time          `json:"last_seen"`
	Role          device.Role        `json:"role"`
	Class         device.SafetyClass `json:"safety_class"`
	Confidence    device.Confidence  `json:"confidence"`
	Pin           *device.Pin        `json:"pin,omitempty"`
	Tags          []string           `json:"tags,omitempty"`
	RunnerUp      device.Role        `json:"runner_up,omitempty"`
	Contradiction string             `json:"contradiction,omitempty"`
	Vendor        device.Attribute   `json:"vendor"`
	Model         device.Attribute   `json:"model"`
	Version       device.Attribute   `json:"version"`
	Evidence      []device.Evidence  `json:"evidence"`
	Segment       string             `json:"segment,omitempty"`
	Mode          string             `json:"mode,omitempty"`
	// LifeSustaining says why it is, or counts as, life-sustaining; "": it does not.
	LifeSustaining string `json:"life_sustaining,omitempty"`
}

// judged is what becomes of a packet.
type judged struct {
	Verdict string   `json:"verdict"`
	Why     []string `json:"why"`
}

// Explain answers why, about a device or a packet.
func (b box) Explain(_ context.Context, what signed.Explain) (any, error) {
	if what.Device == "" {
		return b.judge(what)
	}
	d := b.a.devices.Snapshot().Find(device.ID(what.Device))
	if d == nil {
		return nil, &signed.Refusal{Code: signed.ReasonNotFound, Text: fmt.Sprintf("no device %s here", what.Device)}
	}
	id := &d.Identity
	e := explained{Device: d.ID, Port: d.Port, LastSeen: d.LastSeen, Role: id.Role, Class: id.Class, Confidence: id.Confidence, Pin: d.Pin, Tags: d.Tags,
		RunnerUp: id.RunnerUp, Contradiction: id.Contradiction, Vendor: id.Vendor, Model: id.Model, Version: id.Version, Evidence: id.Evidence}
	e.Segment, e.Mode = b.a.enforce.Segment(d.ID)
	if yes, why := b.LifeSustaining(d.ID); yes {
		e.LifeSustaining = why
	}
	return e, nil
}

// judge asks the policy in force about a packet.
func (b box) judge(what signed.Explain) (any, error) {
	p, err := packetOf(what)
	if err != nil {
		return nil, &signed.Refusal{Code: signed.ReasonInvalidArgs, Text: err.Error()}
	}
	e, ok := b.a.enforce.Explain(p)
	if !ok {
		return nil, &signed.Refusal{Code: signed.ReasonNotFound, Text: "no rules are in force"}
	}
	return judged{e.Verdict, e.Why}, nil
}

// packetOf is the first packet of a conversation as people describe it.
func packetOf(w signed.Explain) (policy.Packet, error) {
	service, err := policy.ParseService(w.Service)
	if err != nil {
		return policy.Packet{}, err
	}
	var src, dst netip.Addr
	if service.Proto != policy.Ether {
		if src, err = netip.ParseAddr(w.Src); err != nil {
			return policy.Packet{}, fmt.Errorf("src: %w", err)
		}
		if dst, err = netip.ParseAddr(w.Dst); err != nil {
			return policy.Packet{}, fmt.Errorf("dst: %w", err)
		}
	}
	p := policy.Request(service, src, dst)
	p.In, p.Out = w.In, w.Out
	if p.SrcMAC, err = fact.ParseMAC(w.SrcMAC); err != nil {
		return p, fmt.Errorf("src_mac: %w", err)
	}
	if p.DstMAC, err = fact.ParseMAC(w.DstMAC); err != nil {
		return p, fmt.Errorf("dst_mac: %w", err)
	}
	return p, nil
}
