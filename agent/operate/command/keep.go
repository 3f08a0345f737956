package command

import (
	"errors"
	"maps"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
)

// Files of this room, for the condition about them.
const (
	fileAll     = "all, as they were read"
	fileNumbers = "numbers"
	fileLeases  = "leases"
	fileTrial   = "trial"
)

// outcomeOf is as a file what came of a statement of desired state.
func outcomeOf(a desired.Accepted) string { return "desired " + a.Statement.ID }

// unkept is what went wrong with a file, and how it is tried again.
type unkept struct {
	err   error
	again func() error
}

// keep writes a file; what it does not take is tried again until it does: till
// then it is in memory only.
func (t *Task) keep(file string, save func() error) {
	t.begins()
	t.noteKept(file, save(), save)
}

func (t *Task) noteKept(file string, err error, again func() error) {
	if err == nil {
		delete(t.unkept, file)
	} else {
		t.unkept[file] = unkept{err, again}
	}
	var errs []error
	for _, f := range slices.Sorted(maps.Keys(t.unkept)) {
		errs = append(errs, t.unkept[f].err)
	}
	t.condition(keepCode, errors.Join(errs...))
}

// keepAgain tries what the files and the journal did not take.
func (t *Task) keepAgain() {
	for _, f := range slices.Sorted(maps.Keys(t.unkept)) {
		t.keep(f, t.unkept[f].again)
	}
	if len(t.journal.unkept) > 0 {
		t.condition(journalCode, t.journal.again())
	}
}

func (t *Task) saveNumbers() error { return t.ratchet.save(t.opt.Keep) }
func (t *Task) saveLeases() error  { return t.leases.save(t.opt.Keep) }
func (t *Task) saveTrial() error   { return t.trial.Save(t.opt.Keep) }

// allFiles is all that this room keeps in files, as it was read.
type allFiles struct {
	shelf    *desired.Shelf
	trial    desired.Trial
	ratchet  ratchets
	leases   leases
	shelfErr error // what is wrong with the shelf
}

// readFiles reads all; it is good whatever the error says.
func readFiles(keep desired.Keep) (f allFiles, err error) {
	var trialErr, ratchetErr, leaseErr error
	f.shelf, f.shelfErr = desired.Open(keep)
	f.trial, trialErr = desired.LoadTrial(keep)
	f.ratchet, ratchetErr = loadRatchets(keep)
	f.leases, leaseErr = loadLeases(keep)
	return f, errors.Join(f.shelfErr, trialErr, ratchetErr, leaseErr)
}

// reread looks whether files that were damaged are whole again. Of what they say
// only the numbers are taken, the higher of each: the rest comes again with the
// next session, or with the next start.
func (t *Task) reread() error {
	f, err := readFiles(t.opt.Keep)
	t.ratchet.raise(f.ratchet)
	return err
}
