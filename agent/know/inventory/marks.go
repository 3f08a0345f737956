package inventory

import (
	"reflect"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// SetMarks replaces what people say of devices, known here or not: a pump that
// comes from another ward brings its marks. Until the first call the marks kept
// with each device hold, so that a start without them takes no pin away.
func (b *Book) SetMarks(marks map[device.ID]device.Marks) {
	b.marks, b.marked = marks, true
	for _, r := range b.byMAC {
		b.mark(r)
	}
}

// mark gives a device its marks, and has it judged again if they are others.
func (b *Book) mark(r *record) {
	m := b.marks[r.dev.ID]
	if !b.marked || reflect.DeepEqual(m, device.Marks{Pin: r.dev.Pin, Tags: r.dev.Tags}) {
		return
	}
	r.dev.Pin, r.dev.Tags = m.Pin, m.Tags
	r.judge = true
	r.note(turns)
}
