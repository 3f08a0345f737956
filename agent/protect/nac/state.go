package nac

// State is where an obligation stands. The names are persisted.
type State string

// States. All but Undone and Failed are owed: the last word is not said.
const (
	Applying State = "applying" // noted; the hook was called, or is about to be
	Applied  State = "applied"
	Doubtful State = "doubtful" // the hook was called, and nobody knows whether it holds
	Undoing  State = "undoing"
	Undone   State = "undone"
	Failed   State = "failed" // certainly nothing was changed
)

func states() []State { return []State{Applying, Applied, Doubtful, Undoing, Undone, Failed} }

// settled reports that nothing is owed any more.
func (s State) settled() bool { return s == Undone || s == Failed }

// input is what happens to an obligation.
type input uint8

const (
	inApplied    input = iota + 1 // Apply came back: it holds,
	inNotApplied                  // it certainly does not,
	inMaybe                       // nobody knows
	inUndone                      // Undo came back: nothing holds any more,
	inNotUndone                   // or something may
	inEnd                         // it is to hold no longer
	inAgain                       // no call is under way, and it is time for one
)

func inputs() []input {
	return []input{inApplied, inNotApplied, inMaybe, inUndone, inNotUndone, inEnd, inAgain}
}

// effect is what is to be done once the new state is on disk.
type effect uint8

const (
	nothing effect = iota
	callApply
	callUndo
)

// next is the life of an obligation. Whatever comes, only an answer of the hook
// settles it; End turns whatever may hold towards Undoing, for good.
func next(s State, in input) (State, effect) {
	switch s {
	case Applying:
		switch in {
		case inApplied:
			return Applied, nothing
		case inNotApplied:
			return Failed, nothing
		case inMaybe:
			return Doubtful, nothing
		case inEnd:
			return Undoing, callUndo
		case inAgain:
			return Applying, callApply
		}
	case Applied, Doubtful:
		if in == inEnd {
			return Undoing, callUndo
		}
	case Undoing:
		switch in {
		case inUndone:
			return Undone, nothing
		case inNotApplied: // the Apply that End overtook
			return Failed, nothing
		case inApplied, inMaybe, inAgain:
			return Undoing, callUndo
		}
	}
	return s, nothing
}

// inputOf is what an answer of the hook means.
func inputOf(action string, o Outcome) input {
	switch {
	case action == actUndo && o == Done:
		return inUndone
	case action == actUndo:
		return inNotUndone
	case o == Done:
		return inApplied
	case o == Refused:
		return inNotApplied
	}
	return inMaybe
}
