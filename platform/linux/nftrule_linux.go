package linux

import (
	"bytes"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// ruleDecoder reads one rule back into our vocabulary, expression by expression
// in the order that platform.Rule fixes. What does not fit makes it foreign.
type ruleDecoder struct {
	family    byte
	anonymous map[string][][]byte // keys of anonymous sets

	rule  platform.Rule
	stage stage
	// loaded are the fields in the registers, at the word after the last;
	// mask is what the first was masked with.
	loaded []platform.Field
	at     int
	mask   []byte
}

// stage is how far a rule has been read.
type stage uint8

const (
	inMatches stage = iota + 1
	afterLimit
	afterLog
	afterCounter
	afterVerdict
)

// message reads a rule's message and returns the chain it belongs to.
func (d *ruleDecoder) message(b []byte) (chain string, err error) {
	d.stage = inMatches
	err = attributes(b, func(ad *netlink.AttributeDecoder) error {
		switch ad.Type() {
		case unix.NFTA_RULE_CHAIN:
			chain = ad.String()
		case unix.NFTA_RULE_USERDATA:
			d.rule.Comment = commentOf(ad.Bytes(), ruleComment)
		case unix.NFTA_RULE_EXPRESSIONS:
			return attributes(ad.Bytes(), func(ad *netlink.AttributeDecoder) error {
				name, data, err := splitExpr(ad.Bytes())
				if err != nil {
					return err
				}
				if !d.expr(name, data) {
					d.rule.Foreign = true
				}
				return nil
			})
		}
		return nil
	})
	return chain, err
}

// result is the rule, once all its expressions were read.
func (d *ruleDecoder) result() platform.Rule {
	if d.rule.Foreign || len(d.loaded) > 0 {
		return platform.Rule{Foreign: true, Comment: d.rule.Comment}
	}
	return d.rule
}

// expr reads one expression; false if it is not in our vocabulary.
func (d *ruleDecoder) expr(name string, data []byte) bool {
	var e expr.Any
	switch name {
	case "meta":
		e = &expr.Meta{}
	case "payload":
		e = &expr.Payload{}
	case "exthdr":
		e = &expr.Exthdr{}
	case "bitwise":
		e = &expr.Bitwise{}
	case "cmp":
		e = &expr.Cmp{}
	case "lookup":
		e = &expr.Lookup{}
	case "limit":
		e = &expr.Limit{}
	case "log":
		return d.log(data)
	case "counter":
		e = &expr.Counter{}
	case "immediate":
		return d.verdict(data)
	default:
		return false
	}
	if err := expr.Unmarshal(d.family, data, e); err != nil {
		return false
	}
	switch e := e.(type) {
	case *expr.Bitwise:
		return d.bitwise(e)
	case *expr.Cmp:
		return d.cmp(e)
	case *expr.Lookup:
		return d.lookup(e)
	case *expr.Limit:
		d.rule.Limit = &platform.Limit{PerSecond: e.Rate, Burst: e.Burst}
		return d.advance(afterLimit) && e.Type == expr.LimitTypePkts && e.Unit == expr.LimitTimeSecond && !e.Over
	case *expr.Counter:
		d.rule.Counter, d.rule.Packets, d.rule.Bytes = true, e.Packets, e.Bytes
		return d.advance(afterCounter)
	}
	return d.load(e)
}

// log reads a log expression that sends to an NFLOG group. The library's own
// decoder panics on attributes that are too short.
func (d *ruleDecoder) log(data []byte) bool {
	grouped, plain := false, true
	log := &platform.Log{}
	err := attributes(data, func(ad *netlink.AttributeDecoder) error {
		switch ad.Type() {
		case unix.NFTA_LOG_GROUP:
			log.Group, grouped = ad.Uint16(), true
		case unix.NFTA_LOG_PREFIX:
			log.Prefix = ad.String()
		case unix.NFTA_LOG_SNAPLEN:
			log.Snaplen = ad.Uint32()
		default:
			plain = false
		}
		return nil
	})
	d.rule.Log = log
	return d.advance(afterLog) && err == nil && grouped && plain
}

// advance moves to a later stage; nothing may be left in the registers.
func (d *ruleDecoder) advance(to stage) bool {
	ok := d.stage < to && len(d.loaded) == 0
	d.stage = to
	return ok
}

func (d *ruleDecoder) load(e expr.Any) bool {
	f, reg, ok := fieldOf(e)
	if !ok || wordOf(reg) != d.at || d.stage == afterVerdict || d.mask != nil {
		return false
	}
	d.loaded = append(d.loaded, platform.ReadAs(f, d.rule.Matches))
	d.at += padded(f.Len()) / word
	return true
}

// take empties the registers.
func (d *ruleDecoder) take() (fields []platform.Field, mask string) {
	fields = d.loaded
	if d.mask != nil {
		mask = string(hostOrder(fields[0], string(d.mask)))
	}
	d.loaded, d.at, d.mask = nil, 0, nil
	return fields, mask
}

func (d *ruleDecoder) bitwise(e *expr.Bitwise) bool {
	ok := len(d.loaded) == 1 && d.mask == nil && wordOf(e.SourceRegister) == 0 && wordOf(e.DestRegister) == 0 &&
		len(e.Mask) == d.loaded[0].Len() && len(bytes.Trim(e.Xor, "\x00")) == 0
	d.mask = e.Mask
	return ok
}

func (d *ruleDecoder) cmp(e *expr.Cmp) bool {
	if len(d.loaded) != 1 || wordOf(e.Register) != 0 || d.stage != inMatches || len(e.Data) != d.loaded[0].Len() {
		return false
	}
	m := platform.Match{}
	m.Fields, m.Mask = d.take()
	m.Value = string(hostOrder(m.Fields[0], string(e.Data)))
	switch e.Op {
	case expr.CmpOpEq:
		m.Op = platform.OpEq
	case expr.CmpOpNeq:
		m.Op = platform.OpNeq
	}
	d.rule.Matches = append(d.rule.Matches, m)
	return m.Op != 0
}

func (d *ruleDecoder) lookup(e *expr.Lookup) bool {
	if len(d.loaded) == 0 || wordOf(e.SourceRegister) != 0 {
		return false
	}
	if e.IsDestRegSet {
		fields, mask := d.take()
		d.rule.VMap = &platform.VMap{Fields: fields, Map: e.SetName}
		return d.advance(afterVerdict) && mask == "" && e.DestRegister == unix.NFT_REG_VERDICT
	}
	if d.stage != inMatches {
		return false
	}
	m := platform.Match{Op: platform.OpIn}
	if e.Invert {
		m.Op = platform.OpNotIn
	}
	m.Fields, m.Mask = d.take()
	if keys, anonymous := d.anonymous[e.SetName]; !anonymous {
		m.Set = e.SetName
	} else {
		for _, k := range keys {
			m.Values = append(m.Values, string(hostOrder(m.Fields[0], string(k))))
		}
	}
	d.rule.Matches = append(d.rule.Matches, m)
	return m.Set != "" || len(m.Fields) == 1
}

// verdict reads an immediate: a value for the verdict register, or else a load
// of a constant, which we do not have.
func (d *ruleDecoder) verdict(data []byte) bool {
	err := attributes(data, func(ad *netlink.AttributeDecoder) (err error) {
		if ad.Type() == unix.NFTA_IMMEDIATE_DATA {
			d.rule.Verdict, err = dataVerdict(ad.Bytes())
		}
		return err
	})
	return d.advance(afterVerdict) && err == nil && d.rule.Verdict.Kind != 0
}
