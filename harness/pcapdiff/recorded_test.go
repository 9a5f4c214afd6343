package pcapdiff_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/pcapdiff"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

func nothing(string, string) []string { return nil }

// recorded reads the golden captures, each with a function that decodes frames of it.
func recorded(t *testing.T, use func(name string, frames []capture.Frame, decode func([]capture.Frame) []capture.Message)) {
	t.Helper()
	files, err := filepath.Glob("../../pcaps/*/capture.pcapng")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := capture.Read(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "keys.json"))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := keylog.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		use(filepath.Base(filepath.Dir(file)), frames, func(fs []capture.Frame) []capture.Message { return capture.Decode(fs, keys) })
	}
}

// A capture does not differ from itself, wherever it begins and ends, nor from one in which each frame was repeated.
func TestRecordedDoNotDifferFromThemselves(t *testing.T) {
	recorded(t, func(name string, frames []capture.Frame, decode func([]capture.Frame) []capture.Message) {
		whole := decode(frames)
		var twice []capture.Frame
		for _, f := range frames {
			twice = append(twice, f, f)
		}
		middle := decode(frames[len(frames)/2:])
		for what, pair := range map[string][2][]capture.Message{
			"itself": {whole, whole}, "every frame twice": {whole, decode(twice)}, "its second half": {middle, middle},
		} {
			if r := pcapdiff.Compare(pair[0], pair[1], nothing); !r.Same() {
				t.Errorf("%s and %s: %+v", name, what, r.Differences)
			}
		}
	})
}

// What a comparison finds does not depend on which capture comes first.
func TestBothWaysFindTheSame(t *testing.T) {
	recorded(t, func(name string, frames []capture.Frame, decode func([]capture.Frame) []capture.Message) {
		whole := decode(frames)
		for _, at := range []int{len(frames) / 4, len(frames) / 2, 3 * len(frames) / 4} {
			for _, part := range [][]capture.Message{decode(frames[at:]), decode(frames[:at])} {
				there, back := pcapdiff.Compare(whole, part, nothing), pcapdiff.Compare(part, whole, nothing)
				if len(there.Differences) != len(back.Differences) || there.Compared != back.Compared || there.SAs != back.SAs {
					t.Errorf("%s, cut at %d: %d differences, %d the other way:\n%+v\n%+v", name, at, len(there.Differences), len(back.Differences),
						there.Differences, back.Differences)
				}
			}
		}
	})
}

// A member more is told by its own messages, and does not move the others against each other.
func TestMoreMembers(t *testing.T) {
	two, three := story{seed: "1"}.run(t), story{seed: "2", members: 3}.run(t)
	third := lab.MemberAddr(3)
	r := pcapdiff.Compare(two, three, nothing)
	if len(r.Differences) != 12 { // Main Mode, PULL and two PUSH messages
		t.Fatalf("%+v", r.Differences)
	}
	for _, d := range r.Differences {
		for _, f := range d.Frames {
			m := three[slices.IndexFunc(three, func(m capture.Message) bool { return m.Frame == f.B })]
			if d.What != pcapdiff.Presence || f.A != 0 || m.From.Addr() != third && m.To.Addr() != third {
				t.Errorf("%+v", d)
			}
		}
	}
}

// A member that begins again with Phase 1 in the middle of a conversation is the same in both, or told by what is more.
func TestPhase1Anew(t *testing.T) {
	again := func(ctx context.Context, l *lab.Lab) {
		if err := l.GM[0].Clear(ctx); err != nil {
			t.Fatal(err)
		}
		if !l.Wait(ctx, lab.Patience, func() bool { return len(l.GM[0].Logged("REGISTERED")) == 2 }) {
			t.Fatal("the member does not register again")
		}
		if _, err := l.KS.Rekey(ctx, control.RekeyArgs{}); err != nil {
			t.Fatal(err)
		}
		l.Pass(ctx, time.Second)
	}
	once, a, b := story{seed: "1"}.run(t), story{seed: "1", after: again}.run(t), story{seed: "2", after: again}.run(t)
	if r := pcapdiff.Compare(a, b, nothing); !r.Same() || r.Closed != 0 {
		t.Errorf("%+v", r)
	}
	for _, d := range pcapdiff.Compare(once, b, nothing).Differences {
		if d.What != pcapdiff.Presence || d.A != "" {
			t.Errorf("%+v", d)
		}
	}
}
