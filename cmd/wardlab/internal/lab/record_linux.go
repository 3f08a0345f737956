package lab

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/pcap"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// recordLimit is the longest that the file of one port may become, octets: what
// a run repeats after that teaches nobody anything.
const recordLimit = 48 << 10

// record writes the frames of each ward port, both directions, to a file of
// its own in dir, until stop.
func record(dir string, ports []string) (stop func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder of recordings: %w", err)
	}
	var wait sync.WaitGroup
	var raws []*ward.Raw
	var mu sync.Mutex
	var failed error
	for _, port := range ports {
		raw, err := ward.OpenRaw(port, 0)
		if err != nil {
			return nil, err
		}
		raws = append(raws, raw)
		wait.Go(func() {
			if err := recordPort(raw, filepath.Join(dir, port+".pcap")); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	return func() error {
		for _, r := range raws {
			r.Close()
		}
		wait.Wait()
		return failed
	}, nil
}

func recordPort(raw *ward.Raw, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	defer f.Close()
	b := bufio.NewWriter(f)
	w, err := pcap.NewWriter(b)
	if err != nil {
		return err
	}
	frame := make([]byte, pcap.Snaplen)
	for size := 24; size < recordLimit; {
		n, _, err := raw.Read(frame)
		if errors.Is(err, os.ErrClosed) {
			break
		}
		if err != nil {
			return fmt.Errorf("record %s: %w", path, err)
		}
		if err := w.Write(time.Now(), frame[:n]); err != nil {
			return err
		}
		size += 16 + n
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("record %s: %w", path, err)
	}
	return nil
}
