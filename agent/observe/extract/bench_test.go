package extract_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// BenchmarkPipeline replays the large capture of the corpus, or the one that
// PCAP names, from the file to the batches.
func BenchmarkPipeline(b *testing.B) {
	path := os.Getenv("PCAP")
	if path == "" {
		dir := os.Getenv("CORPUS")
		if dir == "" {
			b.Skip("neither CORPUS nor PCAP is set: no capture to replay")
		}
		path = filepath.Join(dir, "large", "iot-sentinel-merged.pcap")
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	frames := uint64(0)
	for b.Loop() {
		src, err := capture.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		stats, err := extract.Replay(src, extract.Options{}, func(fact.Batch) {})
		src.Close()
		if err != nil {
			b.Fatal(err)
		}
		frames += stats.Frames
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
}

// BenchmarkFile reads the same capture and does nothing with it.
func BenchmarkFile(b *testing.B) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		b.Skip("CORPUS is not set: no capture to read")
	}
	frames := 0
	for b.Loop() {
		src, err := capture.Open(filepath.Join(dir, "large", "iot-sentinel-merged.pcap"))
		if err != nil {
			b.Fatal(err)
		}
		var f platform.Frame
		for err == nil {
			f, err = src.Next(0)
			frames++
		}
		_ = f
		src.Close()
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
}
