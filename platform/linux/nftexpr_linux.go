package linux

import (
	"bytes"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// register names the n-th word of nftables' 64 bytes of registers. The first has
// an old name as a whole 16-byte register, and one byte string in it that may be
// longer than a word.
func register(n int) uint32 {
	if n == 0 {
		return unix.NFT_REG_1
	}
	return unix.NFT_REG32_00 + uint32(n)
}

// wordOf undoes register for both ways the kernel names one.
func wordOf(register uint32) int {
	if register >= unix.NFT_REG32_00 {
		return int(register) - unix.NFT_REG32_00
	}
	return (int(register) - unix.NFT_REG_1) * 4
}

// exprs translates a rule: matches, limit, log, counter, verdict.
func (w *writer) exprs(conn *nftables.Conn, r platform.Rule) ([]expr.Any, error) {
	var out []expr.Any
	for _, m := range r.Matches {
		match, err := w.match(conn, m)
		if err != nil {
			return nil, err
		}
		out = append(out, match...)
	}
	if r.Limit != nil {
		out = append(out, &expr.Limit{
			Type: expr.LimitTypePkts, Unit: expr.LimitTimeSecond, Rate: r.Limit.PerSecond, Burst: r.Limit.Burst,
		})
	}
	if r.Log != nil {
		out = append(out, encodeLog(*r.Log))
	}
	if r.Counter {
		out = append(out, &expr.Counter{})
	}
	if r.Verdict.Kind != 0 {
		out = append(out, encodeVerdict(r.Verdict))
	}
	if r.VMap != nil {
		out = append(out, loads(r.VMap.Fields)...)
		out = append(out, &expr.Lookup{
			SourceRegister: register(0), SetName: r.VMap.Map, IsDestRegSet: true, DestRegister: unix.NFT_REG_VERDICT,
		})
	}
	return out, nil
}

// loads reads fields into registers, side by side.
func loads(fields []platform.Field) []expr.Any {
	var out []expr.Any
	at := 0
	for _, f := range fields {
		out = append(out, loadOf(f, register(at)))
		at += padded(f.Len()) / word
	}
	return out
}

func (w *writer) match(conn *nftables.Conn, m platform.Match) ([]expr.Any, error) {
	f := m.Fields[0]
	out := loads(m.Fields)
	if m.Mask != "" {
		out = append(out, &expr.Bitwise{
			SourceRegister: register(0), DestRegister: register(0), Len: uint32(f.Len()),
			Mask: hostOrder(f, m.Mask), Xor: make([]byte, f.Len()),
		})
	}
	switch m.Op {
	case platform.OpEq:
		return append(out, &expr.Cmp{Op: expr.CmpOpEq, Register: register(0), Data: hostOrder(f, m.Value)}), nil
	case platform.OpNeq:
		return append(out, &expr.Cmp{Op: expr.CmpOpNeq, Register: register(0), Data: hostOrder(f, m.Value)}), nil
	}
	lookup := &expr.Lookup{SourceRegister: register(0), SetName: m.Set, Invert: m.Op == platform.OpNotIn}
	if m.Set == "" {
		set, err := w.anonymous(conn, f, m.Values)
		if err != nil {
			return nil, err
		}
		lookup.SetName, lookup.SetID = set.Name, set.ID
	}
	return append(out, lookup), nil
}

// anonymous adds a set that lives and dies with its rule.
func (w *writer) anonymous(conn *nftables.Conn, f platform.Field, values []string) (*nftables.Set, error) {
	// The kernel replaces %d; until then the set is known by its id.
	set := &nftables.Set{
		Table: w.table, ID: w.id(), Name: anonymousName + "%d",
		Anonymous: true, Constant: true, KeyType: datatypeOf(f),
	}
	elements := make([]nftables.SetElement, len(values))
	for i, v := range values {
		elements[i].Key = hostOrder(f, v)
	}
	if err := conn.AddSet(set, elements); err != nil {
		return nil, fmt.Errorf("add anonymous set: %w", err)
	}
	return set, nil
}

// anonymousName begins the names of anonymous sets.
const anonymousName = "__set"

func encodeLog(l platform.Log) *expr.Log {
	log := &expr.Log{Key: 1 << unix.NFTA_LOG_GROUP, Group: l.Group}
	if l.Snaplen != 0 {
		log.Key |= 1 << unix.NFTA_LOG_SNAPLEN
		log.Snaplen = l.Snaplen
	}
	if l.Prefix != "" {
		log.Key |= 1 << unix.NFTA_LOG_PREFIX
		log.Data = []byte(l.Prefix)
	}
	return log
}

// User data of rules and sets are type, length, value of a byte each and more;
// in a rule type 0 is its comment, in a set 7.
const (
	ruleComment = 0
	setComment  = 7
)

func commentData(comment string) []byte {
	if comment == "" {
		return nil
	}
	data := []byte{ruleComment, byte(len(comment) + 1)}
	return append(append(data, comment...), 0)
}

// commentOf finds a comment in user data that anyone may have written.
func commentOf(data []byte, kind byte) string {
	for len(data) >= 2 && len(data) >= 2+int(data[1]) {
		value := data[2 : 2+int(data[1])]
		if data[0] == kind {
			return string(bytes.TrimSuffix(value, []byte{0}))
		}
		data = data[2+int(data[1]):]
	}
	return ""
}
