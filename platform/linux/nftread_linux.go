package linux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// readAttempts bounds how often a read begins again because the ruleset changed
// meanwhile.
const readAttempts = 10

// Read returns the table as the kernel has it. It decodes the kernel's messages
// itself: the library drops expressions that it does not know, loses the verdicts
// of maps and the counters of sets, and a rule that someone else made must not
// look like a wider one of ours.
func (f *Firewall) Read(ctx context.Context, family platform.Family, table string) (platform.Table, error) {
	for range readAttempts {
		t, err := f.readOnce(ctx, family, table)
		if errors.Is(err, errDumpChanged) {
			continue
		}
		if err != nil {
			return platform.Table{}, fmt.Errorf("read table %s: %w", table, err)
		}
		return t, nil
	}
	return platform.Table{}, fmt.Errorf("read table %s: %w %d times", table, errDumpChanged, readAttempts)
}

func (f *Firewall) readOnce(ctx context.Context, family platform.Family, table string) (platform.Table, error) {
	r, err := newReader(family, table, f.buffer)
	if err != nil {
		return platform.Table{}, err
	}
	defer r.conn.close()
	defer r.conn.until(ctx)()
	before, err := r.generation()
	if err != nil {
		return platform.Table{}, err
	}
	t, err := r.table()
	if err != nil {
		return platform.Table{}, err
	}
	// The parts come from several dumps: they belong together only if no
	// transaction was committed between them.
	after, err := r.generation()
	if err != nil {
		return platform.Table{}, err
	}
	if before != after {
		return platform.Table{}, errDumpChanged
	}
	return t.Canonical(), nil
}

// reader reads one table over a fresh connection.
type reader struct {
	conn   *nftConn
	family platform.Family
	nft    nftables.TableFamily
	name   string
}

func newReader(family platform.Family, table string, buffer int) (*reader, error) {
	nft, ok := familyOf(family)
	if !ok {
		return nil, fmt.Errorf("%w: family %d", platform.ErrUnsupported, family)
	}
	conn, err := dialNFT(buffer)
	if err != nil {
		return nil, err
	}
	return &reader{conn: conn, family: family, nft: nft, name: table}, nil
}

func (r *reader) get(kind uint16, attrs ...netlink.Attribute) ([]netlink.Message, error) {
	return r.conn.request(kind, byte(r.nft), 0, attrs...)
}

func (r *reader) dump(kind uint16, attrs ...netlink.Attribute) ([]netlink.Message, error) {
	return r.conn.request(kind, byte(r.nft), netlink.Dump, attrs...)
}

// generation numbers the committed transactions of the namespace.
func (r *reader) generation() (uint32, error) {
	replies, err := r.conn.request(unix.NFT_MSG_GETGEN, unix.AF_UNSPEC, 0)
	if err != nil {
		return 0, fmt.Errorf("get generation: %w", err)
	}
	for _, m := range replies {
		attrs, err := netlink.UnmarshalAttributes(m.Data[4:])
		if err != nil {
			return 0, fmt.Errorf("get generation: %w", err)
		}
		for _, a := range attrs {
			if a.Type == unix.NFTA_GEN_ID && len(a.Data) == 4 {
				return binary.BigEndian.Uint32(a.Data), nil
			}
		}
	}
	return 0, errors.New("get generation: no answer")
}

func (r *reader) table() (platform.Table, error) {
	t := platform.Table{Family: r.family, Name: r.name}
	if _, err := r.get(unix.NFT_MSG_GETTABLE, text(unix.NFTA_TABLE_NAME, r.name)); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return t, platform.ErrNoTable
		}
		return t, fmt.Errorf("get table: %w", err)
	}
	sets, err := r.sets()
	if err != nil {
		return t, fmt.Errorf("get sets: %w", err)
	}
	anonymous := map[string][][]byte{}
	for _, s := range sets {
		elements, err := r.elements(s.Name)
		if err != nil {
			return t, fmt.Errorf("get elements of %s: %w", s.Name, err)
		}
		if s.anonymous {
			anonymous[s.Name] = keysOf(elements)
			continue
		}
		s.Elements = decodeElements(s.Set, elements)
		t.Sets = append(t.Sets, s.Set)
	}
	if t.Chains, err = r.chains(anonymous); err != nil {
		return t, err
	}
	return t, nil
}

func keysOf(elements []element) [][]byte {
	var keys [][]byte
	for _, e := range elements {
		keys = append(keys, e.Key)
	}
	return keys
}

// sets reads the shapes of all sets.
func (r *reader) sets() ([]shape, error) {
	replies, err := r.dump(unix.NFT_MSG_GETSET, text(unix.NFTA_SET_TABLE, r.name))
	if err != nil {
		return nil, err
	}
	var out []shape
	for _, m := range replies {
		s, err := decodeSet(m.Data[4:])
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// A list of elements up to onePart long comes in one message, and one that does
// not is read until it comes out the same twice, with a pause after the first
// attempts: while the kernel rehashes a set that grew (right after it was
// loaded), the parts of a list overlap or leave elements out, without an error.
const (
	onePart      = 64
	listAttempts = 20
	rehashPause  = 5 * time.Millisecond
)

func (r *reader) elements(set string) ([]element, error) {
	var before map[string]bool
	for range listAttempts {
		out, err := r.elementsOnce(set)
		if err != nil {
			return nil, err
		}
		keys := make(map[string]bool, len(out))
		for _, e := range out {
			keys[string(rune(rank(e)))+string(e.Key)] = true
		}
		twice := len(keys) != len(out)
		if !twice && (len(out) <= onePart || maps.Equal(keys, before)) {
			return out, nil
		}
		if before != nil {
			time.Sleep(rehashPause)
		}
		before = keys
	}
	return nil, errDumpChanged
}

func (r *reader) elementsOnce(set string) ([]element, error) {
	replies, err := r.dump(unix.NFT_MSG_GETSETELEM,
		text(unix.NFTA_SET_ELEM_LIST_TABLE, r.name), text(unix.NFTA_SET_ELEM_LIST_SET, set))
	if err != nil {
		return nil, err
	}
	var out []element
	for _, m := range replies {
		elements, err := decodeElementList(m.Data[4:])
		if err != nil {
			return nil, err
		}
		out = append(out, elements...)
	}
	return out, nil
}

// chains reads the chains of the table with their rules.
func (r *reader) chains(anonymous map[string][][]byte) ([]platform.Chain, error) {
	rules, err := r.rules(anonymous)
	if err != nil {
		return nil, fmt.Errorf("get rules: %w", err)
	}
	replies, err := r.dump(unix.NFT_MSG_GETCHAIN)
	if err != nil {
		return nil, fmt.Errorf("get chains: %w", err)
	}
	var out []platform.Chain
	for _, m := range replies {
		table, c, err := decodeChain(m.Data[4:])
		if err != nil {
			return nil, fmt.Errorf("get chains: %w", err)
		}
		if table == r.name {
			c.Rules = rules[c.Name]
			out = append(out, c)
		}
	}
	return out, nil
}

// rules reads the rules of all chains, by chain.
func (r *reader) rules(anonymous map[string][][]byte) (map[string][]platform.Rule, error) {
	replies, err := r.dump(unix.NFT_MSG_GETRULE, text(unix.NFTA_RULE_TABLE, r.name))
	if err != nil {
		return nil, err
	}
	out := map[string][]platform.Rule{}
	for _, m := range replies {
		d := ruleDecoder{family: byte(r.nft), anonymous: anonymous}
		chain, err := d.message(m.Data[4:])
		if err != nil {
			return nil, err
		}
		out[chain] = append(out[chain], d.result())
	}
	return out, nil
}
