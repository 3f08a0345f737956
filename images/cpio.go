package images

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
)

// Node is a file of the initramfs.
type Node struct {
	Name         string      // from the root, without a leading slash: "dev/console"
	Mode         fs.FileMode // ModeDir, ModeDevice|ModeCharDevice or none, and permissions
	Data         []byte      // of a regular file
	Major, Minor uint32      // of a device
}

// WriteCPIO writes the nodes as the kernel reads an initramfs ("newc" of
// Documentation/driver-api/early-userspace/buffer-format.rst): in the order of
// their names, all of root, without times, so that the same nodes are always the
// same bytes.
func WriteCPIO(w io.Writer, nodes []Node) error {
	nodes = slices.SortedFunc(slices.Values(nodes), func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	dirs := map[string]bool{".": true}
	for i, n := range nodes {
		switch {
		case !fs.ValidPath(n.Name) || n.Name == ".":
			return fmt.Errorf("write initramfs: %q is no path from the root", n.Name)
		case i > 0 && nodes[i-1].Name == n.Name:
			return fmt.Errorf("write initramfs: %q stands there twice", n.Name)
		case !dirs[path.Dir(n.Name)]: // the kernel would leave it out without a word
			return fmt.Errorf("write initramfs: %q has no folder", n.Name)
		}
		mode, err := cpioMode(n)
		if err != nil {
			return err
		}
		dirs[n.Name] = n.Mode.IsDir()
		if err := writeEntry(w, n, uint32(i)+1, mode); err != nil {
			return fmt.Errorf("write initramfs: %s: %w", n.Name, err)
		}
	}
	if err := writeEntry(w, Node{Name: "TRAILER!!!"}, 0, 0); err != nil {
		return fmt.Errorf("write initramfs: end: %w", err)
	}
	return nil
}

// cpioMode is st_mode of stat(2).
func cpioMode(n Node) (uint32, error) {
	perm := uint32(n.Mode.Perm())
	switch n.Mode.Type() {
	case 0:
		if uint64(len(n.Data)) > math.MaxUint32 {
			return 0, fmt.Errorf("write initramfs: %s: %d bytes do not fit the format", n.Name, len(n.Data))
		}
		return 0o100000 | perm, nil
	case fs.ModeDir:
		return 0o040000 | perm, nil
	case fs.ModeDevice | fs.ModeCharDevice:
		return 0o020000 | perm, nil
	}
	return 0, fmt.Errorf("write initramfs: %s: no mode for %v", n.Name, n.Mode.Type())
}

func writeEntry(w io.Writer, n Node, inode, mode uint32) error {
	const uid, gid, links, mtime, devMajor, devMinor, check = 0, 0, 1, 0, 0, 0, 0
	head := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		inode, mode, uid, gid, links, mtime, len(n.Data), devMajor, devMinor, n.Major, n.Minor, len(n.Name)+1, check, n.Name)
	for _, part := range [][]byte{[]byte(head), n.Data} {
		if _, err := w.Write(part); err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, -len(part)&3)); err != nil {
			return err
		}
	}
	return nil
}
