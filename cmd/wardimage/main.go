package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/wardkeeper/wardkeeper/images"
)

// Exit codes, as sysexits.h names them.
const (
	exitFailed = 1
	exitUsage  = 64 // EX_USAGE
)

const usage = `usage:
  wardimage build --board NAME --out DIR [flags]   build an image into DIR: vmlinuz, initrd.gz,
                                                   disk.img, manifest.json; run it in the sources
  wardimage test --board NAME [--log FILE]         run the tests that touch the kernel on the
                                                   board's, in QEMU; run it in the sources
  wardimage bench --image DIR [--runs N]           size and times of a built image against their
                                                   goals, in QEMU; wardlab lies beside wardimage
  wardimage boards                                 list the boards
flags of build; --cache is also one of test:
  --cache DIR      keep Debian's packages here; used as they are until --refresh
  --refresh        ask Debian's mirror for newer packages
  --size BYTES     of the disk, at least what the partitions need
  --version TEXT   what the image calls itself, "dev" by default
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "build":
		b, err := parse(args[1:], stderr)
		return do(ctx, stderr, "build image", b, err)
	case "test":
		t, err := parseTrial(args[1:], stdout, stderr)
		return do(ctx, stderr, "test on the board's kernel", t, err)
	case "bench":
		b, err := parseBench(args[1:], stdout, stderr)
		return do(ctx, stderr, "measure image", b, err)
	case "boards":
		boards, err := images.Boards()
		if err != nil {
			fmt.Fprintf(stderr, "wardimage: %v\n", err)
			return exitFailed
		}
		for _, b := range boards {
			fmt.Fprintln(stdout, b.Name)
		}
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	fmt.Fprintf(stderr, "wardimage: unknown command %q\n%s", args[0], usage)
	return exitUsage
}

// do runs what was asked for, unless it was asked for wrongly.
func do(ctx context.Context, stderr io.Writer, what string, job interface{ run(context.Context) error }, usageErr error) int {
	if usageErr != nil {
		fmt.Fprintf(stderr, "wardimage: %v\n", usageErr)
		return exitUsage
	}
	if err := job.run(ctx); err != nil {
		fmt.Fprintf(stderr, "wardimage: %s: %v\n", what, err)
		return exitFailed
	}
	return 0
}

// versionText ends up on a kernel command line.
var versionText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

func parse(args []string, stderr io.Writer) (*build, error) {
	fs := flag.NewFlagSet("build", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	b := &build{log: slog.New(slog.NewTextHandler(stderr, nil))}
	board := fs.String("board", "", "")
	fs.StringVar(&b.out, "out", "", "")
	fs.StringVar(&b.cache.dir, "cache", "", "")
	fs.BoolVar(&b.cache.refresh, "refresh", false, "")
	fs.Int64Var(&b.size, "size", images.MinDisk(), "")
	fs.StringVar(&b.version, "version", "dev", "")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	var err error
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case b.out == "":
		return nil, fmt.Errorf("--out is missing")
	case !versionText.MatchString(b.version):
		return nil, fmt.Errorf("--version %q: want letters, digits and ._+-", b.version)
	}
	if b.layout, err = images.Layout(b.size); err != nil {
		return nil, fmt.Errorf("--size: %w", err)
	}
	if err := b.readBoard(*board); err != nil {
		return nil, err
	}
	if err := b.cache.settle(); err != nil {
		return nil, err
	}
	b.out, err = filepath.Abs(b.out)
	return b, err
}

func (b *build) readBoard(name string) (err error) {
	if b.boardFile, err = images.BoardFile(name); err != nil {
		return fmt.Errorf("--board: %w", err)
	}
	b.board, err = images.ParseBoard(name+"/board.toml", b.boardFile)
	return err
}

// settle makes of what the user named, or of nothing, a folder.
func (c *cache) settle() error {
	if c.dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("--cache is missing, and there is no default: %w", err)
		}
		c.dir = filepath.Join(user, "wardkeeper", "image")
	}
	var err error
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return err
	}
	if strings.ContainsAny(c.dir, "\"\n;") { // apt would take its end for its configuration's
		return fmt.Errorf("folder %q: want a path without quotes and semicolons", c.dir)
	}
	return nil
}
