package images

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// ko is the smallest ELF file that has a section of that name and content.
func ko(section, info string) []byte {
	names := "\x00" + section + "\x00.shstrtab\x00"
	var b bytes.Buffer
	le := binary.LittleEndian
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x01\x01")
	le.PutUint16(head[16:], 1)    // relocatable
	le.PutUint16(head[18:], 0xb7) // AArch64
	le.PutUint32(head[20:], 1)
	le.PutUint64(head[40:], uint64(64+len(info)+len(names)))
	le.PutUint16(head[52:], 64)
	le.PutUint16(head[58:], 64)
	le.PutUint16(head[60:], 3)
	le.PutUint16(head[62:], 2)
	b.Write(head)
	b.WriteString(info)
	b.WriteString(names)
	for _, s := range [][4]uint64{{}, {1, 1, 64, uint64(len(info))}, {uint64(2 + len(section)), 3, uint64(64 + len(info)), uint64(len(names))}} {
		h := make([]byte, 64)
		le.PutUint32(h, uint32(s[0]))
		le.PutUint32(h[4:], uint32(s[1]))
		le.PutUint64(h[24:], s[2])
		le.PutUint64(h[32:], s[3])
		le.PutUint64(h[48:], 1)
		b.Write(h)
	}
	return b.Bytes()
}

func modinfo(name, depends string) *fstest.MapFile {
	return &fstest.MapFile{Data: ko(".modinfo", "license=GPL\x00depends="+depends+"\x00name="+name+"\x00")}
}

func TestReadModinfo(t *testing.T) {
	got, err := ReadModinfo(bytes.NewReader(modinfo("bridge", "stp,nf-x").Data))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Module{Name: "bridge", Depends: []string{"stp", "nf_x"}}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	good := modinfo("bridge", "").Data
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"no ELF":         {[]byte("PK"), "read module: EOF"},
		"no section":     {ko(".text", "name=x\x00"), "read module: no section .modinfo"},
		"cut off":        {good[:len(good)-100], "read module: "},
		"no name":        {ko(".modinfo", "depends=\x00"), `read module: "" is no name`},
		"name of a path": {ko(".modinfo", "name=../x\x00"), `read module: "../x" is no name`},
		"huge":           {ko(".modinfo", strings.Repeat("x", maxModinfo+1)), "read module: section .modinfo has 1048577 bytes, more than 1048576"},
	} {
		if _, err := ReadModinfo(bytes.NewReader(tt.data)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

func FuzzReadModinfo(f *testing.F) {
	f.Add(modinfo("bridge", "stp,llc").Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadModinfo(bytes.NewReader(data))
		if err == nil && strings.ContainsAny(m.Name, "/\x00") {
			t.Errorf("accepted the name %q", m.Name)
		}
	})
}

func kernel() fstest.MapFS {
	return fstest.MapFS{
		"modules.builtin":           {Data: []byte("kernel/net/packet/af_packet.ko\n")},
		"kernel/net/bridge.ko":      modinfo("bridge", "llc,stp"),
		"kernel/net/stp.ko":         modinfo("stp", "llc"),
		"kernel/net/llc.ko":         modinfo("llc", ""),
		"kernel/net/8021q.ko":       modinfo("8021q", "stp,af_packet"),
		"kernel/char/virtio-rng.ko": modinfo("virtio_rng", ""),
		"kernel/x/a.ko":             modinfo("a", "b"),
		"kernel/x/b.ko":             modinfo("b", "c"),
		"kernel/x/c.ko":             modinfo("c", "b"),
		"kernel/x/d.ko":             modinfo("d", "gone"),
		"kernel/x/e.ko":             modinfo("ee", ""),
		"kernel/x/f.ko":             {Data: []byte("no module")},
	}
}

func TestResolveModules(t *testing.T) {
	tests := []struct {
		name   string
		wanted []string
		want   []string // files, or
		errs   []string
	}{
		{"what is needed comes first", []string{"bridge"}, []string{"kernel/net/llc.ko", "kernel/net/stp.ko", "kernel/net/bridge.ko"}, nil},
		{"in the wanted order", []string{"virtio_rng", "llc"}, []string{"kernel/char/virtio-rng.ko", "kernel/net/llc.ko"}, nil},
		{"each once", []string{"8021q", "stp", "bridge", "llc"}, []string{"kernel/net/llc.ko", "kernel/net/stp.ko", "kernel/net/8021q.ko", "kernel/net/bridge.ko"}, nil},
		{"hyphens as the file has them", []string{"virtio-rng"}, []string{"kernel/char/virtio-rng.ko"}, nil},
		{"built in", []string{"af_packet"}, nil, nil},
		{"all that is missing", []string{"brigde", "zzzzzzzzzz", "d"}, nil, []string{
			`brigde: no module of that name in the kernel package (nearest: "bridge")`,
			`zzzzzzzzzz: no module of that name in the kernel package`,
			`d → gone: no module of that name in the kernel package`,
		}},
		{"a cycle", []string{"a"}, nil, []string{"b → c → b need one another"}},
		{"another name", []string{"e"}, nil, []string{`kernel/x/e.ko: calls itself "ee"`}},
		{"no module", []string{"f"}, nil, []string{"kernel/x/f.ko: read module: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mods, err := ResolveModules(kernel(), tt.wanted)
			if (err != nil) != (tt.errs != nil) {
				t.Fatal(err)
			}
			for _, want := range tt.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error\n got %v\nwant %s", err, want)
				}
			}
			var got []string
			for _, m := range mods {
				got = append(got, m.File)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
	if _, err := ResolveModules(fstest.MapFS{}, nil); err == nil || !strings.Contains(err.Error(), "modules.builtin") {
		t.Errorf("a folder of no kernel: %v", err)
	}
}
