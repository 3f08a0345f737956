package platform

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Errors of a Firewall that its caller tells apart.
var (
	// ErrNoTable: the kernel has no table of that name.
	ErrNoTable = errors.New("no such table")
	// ErrStateUnknown: the transaction may have been committed or not (lost
	// acknowledgement, ENOBUFS). Read over and compare.
	ErrStateUnknown = errors.New("state of the ruleset is unknown")
	// ErrTooLarge: the change does not fit one transaction of this kernel and
	// socket. Nothing was committed: split it, into an unreachable generation.
	ErrTooLarge = errors.New("change too large for one transaction")
	// ErrUnsupported: this kernel cannot do it.
	ErrUnsupported = errors.New("not supported by this kernel")
)

// Firewall is the kernel's packet filter.
type Firewall interface {
	// Apply commits the change as one transaction: all steps in their order,
	// or none. Any error but one that wraps ErrStateUnknown proves that nothing
	// was committed; that one promises neither.
	Apply(ctx context.Context, change Change) error
	// Read returns the table as the kernel has it, read over a connection of
	// its own: after ENOBUFS an old one returns parts of the truth without an
	// error. The error wraps ErrNoTable if there is none.
	Read(ctx context.Context, family Family, table string) (Table, error)
	// Watch sends a value after anyone but this process changed the rules of
	// the namespace, until ctx ends and the channel is closed.
	Watch(ctx context.Context) (<-chan struct{}, error)
	// Logged opens an NFLOG group; a group has one reader.
	Logged(group uint16) (LogSource, error)
}

// Change is an ordered list of steps on one table.
type Change struct {
	Family Family
	Table  string
	Steps  []Step
}

// Step is one step of a Change: exactly one of the pointer fields is set.
type Step struct {
	AddTable    *struct{}    // create the table if it is missing
	DeleteTable *struct{}    // delete it with all it holds; missing is no error
	AddSet      *Set         // with its elements
	DeleteSet   string       // by name
	AddChain    *Chain       // with its rules; exists already: rules are appended
	FlushChain  string       // remove all rules of a chain
	DeleteChain string       // must be unreferenced by then
	AddElements *SetElements // existing keys: refreshes nothing, see RenewElements
	// DeleteElements of keys that are not there aborts the transaction.
	DeleteElements *SetElements
	// RenewElements adds the elements, or gives those that are there a new
	// timeout (add, delete, add in one transaction: kernel 6.1 keeps the old
	// expiry on a plain re-add). Their counters begin anew. An element of a map
	// must keep its verdict; to change it, delete the element and add it.
	RenewElements *SetElements
}

// SetElements are elements of one named set.
type SetElements struct {
	Set      string
	Elements []Element
}

// LogSource yields the packets that rules logged to one NFLOG group.
type LogSource interface {
	// Next waits at most wait; errors ErrNoFrame, ErrClosed; others end it.
	Next(wait time.Duration) (LogEntry, error)
	// Lost counts entries the kernel could not deliver.
	Lost() uint64
	Close() error
}

// LogEntry is what is kept of a logged packet: its tuple, never its payload.
type LogEntry struct {
	Prefix           string // of the rule that logged it
	Time             int64  // nanoseconds since 1970
	In, Out          string // bridge ports ("" if unknown)
	SrcMAC, DstMAC   [6]byte
	VLAN             uint16     // VLAN id, 0: untagged
	EtherType        uint16     // inner
	Src, Dst         netip.Addr // of IP or of the ARP sender and target
	Proto            uint8      // IP protocol, after IPv6 extension headers
	SrcPort, DstPort uint16     // or ICMP type and code
	TCPFlags         uint8
	Fragment         bool // a later fragment: no ports
}
