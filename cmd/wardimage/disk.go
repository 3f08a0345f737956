package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
)

// Ids of the file systems: made up once, so that each build is the same.
const (
	espID  = "57a2d5e1"
	dataID = "57a2d5e0-0014-4e57-8a5d-6b1f0c9e7a01"
)

// disk writes the disk: partition table, ESP with boot loader and UKI, root slot a, data.
func (b *build) disk(ctx context.Context, s *stage, k kernel) error {
	if err := b.uki(s, k); err != nil {
		return err
	}
	if err := b.esp(ctx, s, k); err != nil {
		return err
	}
	if err := b.data(ctx, s); err != nil {
		return err
	}
	f, err := os.Create(s.result(diskFile))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(b.size); err != nil {
		return err
	}
	if err := b.layout.WriteTo(f); err != nil {
		return err
	}
	for part, file := range map[string]string{images.PartESP: "esp.img", images.PartRootA: "root.squashfs", images.PartData: "data.img"} {
		p, err := b.layout.Partition(part)
		if err != nil {
			return err
		}
		if err := place(f, p, s.work(file)); err != nil {
			return fmt.Errorf("write partition %s: %w", part, err)
		}
	}
	return f.Close()
}

// place copies the file to where the partition begins, leaving out zeroes, so
// that the disk's file stays sparse.
func place(disk io.WriterAt, p images.Partition, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	if st.Size() > p.Bytes() {
		return fmt.Errorf("%d bytes do not fit the partition's %d", st.Size(), p.Bytes())
	}
	buf := make([]byte, 1<<16)
	zero := make([]byte, len(buf))
	for off := p.Offset(); ; {
		n, err := io.ReadFull(in, buf)
		if !bytes.Equal(buf[:n], zero[:n]) {
			if _, err := disk.WriteAt(buf[:n], off); err != nil {
				return err
			}
		}
		off += int64(n)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// uki writes the one file that the firmware starts.
func (b *build) uki(s *stage, k kernel) error {
	stub, err := os.ReadFile(k.stub)
	if err != nil {
		return err
	}
	osRelease := fmt.Sprintf("ID=wardkeeper\nNAME=Wardkeeper\nPRETTY_NAME=\"Wardkeeper %[1]s\"\nVERSION_ID=%[1]s\n", b.version)
	sections := []images.Section{
		{Name: ".osrel", Data: []byte(osRelease)},
		{Name: ".cmdline", Data: []byte(b.board.KernelCmdline("a", b.version))},
		{Name: ".uname", Data: []byte(k.version)},
	}
	// the kernel last: it needs more memory than it has bytes
	for _, part := range [][2]string{{".initrd", initrdFile}, {".linux", kernelFile}} {
		data, err := os.ReadFile(s.result(part[1]))
		if err != nil {
			return err
		}
		sections = append(sections, images.Section{Name: part[0], Data: data})
	}
	f, err := os.Create(s.work("ward-a.efi"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := images.WriteUKI(f, stub, sections); err != nil {
		return err
	}
	return f.Close()
}

// loaderConf is for systemd-boot, which the firmware starts where no entry of
// its own names a UKI. It is no copy of the UKI, that could be of another slot's
// past. No menu and no editor: nobody at the console gives the kernel parameters.
const loaderConf = "default ward-a.efi\ntimeout 0\neditor no\nconsole-mode keep\n"

// esp writes the file system that the firmware reads.
func (b *build) esp(ctx context.Context, s *stage, k kernel) error {
	p, err := b.layout.Partition(images.PartESP)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.work("loader.conf"), []byte(loaderConf), 0o644); err != nil {
		return err
	}
	if err := copyFile(s.work("boot.efi"), k.loader); err != nil {
		return err
	}
	image := s.work("esp.img")
	commands := [][]string{
		{"mformat", "-i", image, "-C", "-F", "-T", strconv.FormatInt(p.Bytes()/images.SectorSize, 10), "-h", "255", "-s", "63", "-N", espID, "-v", "ESP", "::"},
		{"mmd", "-i", image, "::/EFI", "::/EFI/BOOT", "::/EFI/Linux", "::/loader"},
	}
	seconds, err := strconv.ParseInt(sourceDate, 10, 64)
	if err != nil {
		return err
	}
	then := time.Unix(seconds, 0)
	for _, f := range [][2]string{{"ward-a.efi", "::/EFI/Linux/ward-a.efi"}, {"boot.efi", "::/EFI/BOOT/BOOTAA64.EFI"}, {"loader.conf", "::/loader/loader.conf"}} {
		if err := os.Chtimes(s.work(f[0]), then, then); err != nil {
			return err
		}
		commands = append(commands, []string{"mcopy", "-m", "-i", image, s.work(f[0]), f[1]})
	}
	for _, args := range commands {
		if _, err := command(ctx, s.work(), []string{"SOURCE_DATE_EPOCH=" + sourceDate}, args[0], args[1:]...); err != nil {
			return fmt.Errorf("write the ESP: %w", err)
		}
	}
	return nil
}

// features are named one by one: the defaults are each host's own.
const features = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum"

// data writes the data partition. Blocks of 4 KiB although it is small: it will
// be grown, and the size of blocks stays.
func (b *build) data(ctx context.Context, s *stage) error {
	p, err := b.layout.Partition(images.PartData)
	if err != nil {
		return err
	}
	defaults := s.work("mke2fs.conf")
	if err := os.WriteFile(defaults, []byte("[defaults]\n\tbase_features = none\n\tinode_size = 256\n[fs_types]\n\text4 = {\n\t}\n"), 0o644); err != nil {
		return err
	}
	_, err = command(ctx, s.work(), []string{"MKE2FS_CONFIG=" + defaults}, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-i", "16384",
		"-O", features, "-L", "data", "-U", dataID, "-E", "hash_seed="+dataID+",root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0",
		s.work("data.img"), strconv.FormatInt(p.Bytes()/4096, 10))
	if err != nil {
		return fmt.Errorf("write the data partition: %w", err)
	}
	return nil
}

// copyFile copies the content alone.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	return out.Close()
}
