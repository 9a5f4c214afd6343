package wiretest

import (
	"bytes"
	"testing"
)

// Each way of altering does what it says, and writes to no message.
func TestAlter(t *testing.T) {
	message := make([]byte, 60)
	for i := range message {
		message[i] = byte(i)
	}
	before := bytes.Clone(message)
	for _, c := range []struct {
		step    Step
		length  int
		changed int // the first octet that is another; -1: none
	}{
		{Step{0, 0, 0, 0}, 60, -1},
		{Step{0, 1, 128, 1}, 60, 30},
		{Step{0, 2, 3, 1}, 60, 31},
		{Step{0, 3, 128, 0}, 30, -1},
		{Step{0, 4, 5, 9}, 65, -1},
		{Step{0, 5, 0, 8}, 68, 8},
		{Step{0, 6, 17, 1}, 60, 1},
		{Step{0, 7, 0, 1}, 60, 16},
		{Step{0, 8, 0, 1}, 60, 18},
		{Step{0, 9, 0, 1}, 60, 19},
		{Step{0, 10, 1, 1}, 60, 21},
		{Step{0, 11, 0, 1}, 60, 59},
		{Step{0, 132, 0, 0}, 60, 24},
	} {
		got := c.step.Alter(message)
		changed := -1
		for i := range min(len(got), len(message)) {
			if got[i] != message[i] {
				changed = i
				break
			}
		}
		if len(got) != c.length || changed != c.changed {
			t.Errorf("%+v: %d octets, changed at %d", c.step, len(got), changed)
		}
		for n := range 256 {
			Step{byte(n), c.step.How, byte(n), byte(n)}.Alter(message[:n%61])
		}
	}
	if !bytes.Equal(message, before) {
		t.Error("the message was written to")
	}
}

func TestSteps(t *testing.T) {
	if got := Steps([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, 9); len(got) != 2 || got[1] != (Step{5, 6, 7, 8}) {
		t.Errorf("%+v", got)
	}
	if got := Steps(make([]byte, 40), 3); len(got) != 3 {
		t.Errorf("%d steps", len(got))
	}
	if (Step{Which: 5}).Choose(nil) != nil || string(Step{Which: 5}.Choose([][]byte{{1}, {2}})) != "\x02" {
		t.Error("another message is chosen")
	}
	header := make([]byte, 28)
	if !SameBody(append(header, 1), append(make([]byte, 28), 1)) || SameBody(header[:20], header[:20]) || SameBody(append(header, 1), append(header, 2)) {
		t.Error("bodies")
	}
}
