package agent

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform"
)

// guard looks after the database: it ends the agent when the state of it is
// unknown, since the next start goes through the preflight; and it brings a
// store that began in memory to the disk, once that has room.
type guard struct {
	store *store.Store
	disk  platform.Disk
	state string // the folder of the database
	need  uint64 // free bytes for a new one
	clock *clock.Clock
	board *health.Board
	log   *slog.Logger
	ready chan struct{}
}

// Waits between two looks at the disk. A try writes the whole file: where it
// fails although there was room, the flash must not pay for it every minute.
const (
	firstReturn = time.Minute
	lastReturn  = time.Hour
)

// spareRoom must be free beside a new database: a disk that is filled to the
// brim fails whoever else lives there.
const spareRoom = 16 << 20

// memoryCode is the condition of a store without a disk.
const memoryCode = "store.memory"

func newGuard(a *Agent) *guard {
	g := &guard{store: a.store, disk: a.host.Disk, state: a.cfg.State, need: uint64(storeSize(a.cfg.Outbox.CapBytes)) + spareRoom,
		clock: a.clock, board: &a.board, log: a.log, ready: make(chan struct{})}
	close(g.ready)
	return g
}

func (g *guard) String() string         { return "store" }
func (g *guard) Ready() <-chan struct{} { return g.ready }

func (g *guard) Run(ctx context.Context) error {
	wait, beat := firstReturn, time.NewTicker(health.BeatEvery)
	defer beat.Stop()
	var look <-chan time.Time
	for {
		if look == nil && g.store.Waits() {
			look = time.After(wait)
		}
		g.board.Beat(g.String(), g.clock.Now().Mono)
		select {
		case <-ctx.Done():
			return nil
		case <-g.store.Broken():
			return errors.New("state of the database is unknown; a new start will check it")
		case <-beat.C:
		case <-look:
			look = nil
			g.busy()
			if g.room() && g.back(ctx) != nil {
				wait = min(2*wait, lastReturn)
			}
		}
	}
}

// busy is for what the disk decides the length of.
func (g *guard) busy() { g.board.Busy(g.String(), g.clock.Now().Mono) }

// room reports whether a new database would fit. The folder for it may be what
// could not be made: then the disk of the one above counts.
func (g *guard) room() bool {
	u, err := g.disk.Usage(g.state)
	if err != nil {
		u, err = g.disk.Usage(filepath.Dir(g.state))
	}
	return err == nil && !u.ReadOnly && u.Free >= g.need
}

// back tries to leave the memory.
func (g *guard) back(ctx context.Context) error {
	err := g.store.Return(ctx, g.busy)
	switch {
	case err == nil:
		g.board.Clear(memoryCode)
		g.log.Info("database made, all that was remembered is in it", "folder", g.state)
	case ctx.Err() == nil:
		g.board.Set(health.Condition{Code: memoryCode, Severity: health.Failure, Text: "in memory only: " + err.Error(), Since: g.clock.Now().Wall})
	}
	return err
}
