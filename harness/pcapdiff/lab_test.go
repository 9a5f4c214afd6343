package pcapdiff_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/pcapdiff"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// story is one run on the memory fabric: two members register, their hosts talk, the key server rekeys twice.
type story struct {
	seed    string
	setup   lab.Setup
	members int      // 0: two
	tap     core.Tap // of the key server
	after   func(ctx context.Context, l *lab.Lab)
}

// run returns what crossed the WAN, decoded.
func (s story) run(t *testing.T) []capture.Message {
	t.Helper()
	ctx := t.Context()
	s.setup.Members, s.setup.Hosts = max(s.members, 2), true
	l, err := lab.New(ctx, lab.Env{Fabric: lab.Memory{}, Seed: s.seed}, s.setup)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.KS.Misbehave(s.tap); err != nil {
		t.Fatal(err)
	}
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	talk := func() {
		probe, err := l.Hosts[0].Ping(ctx, l.Hosts[1].Addr(), lab.Ping{Count: 3})
		if err != nil {
			t.Fatal(err)
		}
		l.Wait(ctx, lab.Patience, probe.Done)
	}
	talk()
	for _, what := range []control.RekeyArgs{{}, {KEK: true}} {
		if _, err := l.KS.Rekey(ctx, what); err != nil {
			t.Fatal(err)
		}
		l.Pass(ctx, time.Second)
		talk()
	}
	if s.after != nil {
		s.after(ctx, l)
	}
	return l.Messages()
}

func compare(t *testing.T, a, b story) *pcapdiff.Report {
	t.Helper()
	fields, err := catalog.LoadFields()
	if err != nil {
		t.Fatal(err)
	}
	return pcapdiff.Compare(a.run(t), b.run(t), fields.Touched)
}

// Two runs with different seeds differ in every random octet, and in nothing that counts.
func TestSeedsDoNotDiffer(t *testing.T) {
	for name, setup := range map[string]lab.Setup{
		"unicast":   {},
		"multicast": {Group: lab.Multicast},
		"acknowledged": {Group: func(g *policy.Group) {
			g.Rekey.Ack = policy.AckKEKSHA256
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := compare(t, story{seed: "1", setup: setup}, story{seed: "2", setup: setup})
			if !r.Same() || r.Compared < 20 || r.SAs < 3 || r.Closed != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Each of these changes one thing, and the report has that one thing alone, with both values.
func TestOneChangeIsOneDifference(t *testing.T) {
	group := func(change func(*policy.Group)) story { return story{seed: "2", setup: lab.Setup{Group: change}} }
	edit := func(kind core.Kind, change func(o *core.Outgoing)) story {
		return story{seed: "2", tap: func(stage core.Stage, o *core.Outgoing) {
			if stage == core.Built && o.Kind == kind {
				change(o)
			}
		}}
	}
	atd := 7 * time.Second
	for name, c := range map[string]struct {
		b                 story
		where, what, a, v string
		touches           string
		places            int  // at least
		more              bool // it has consequences that are differences by themselves
	}{
		"length of the traffic key": {group(func(g *policy.Group) { g.SAs[0].Transform.KeyBits = 256 }),
			"PULL2 SA/SAT/Key Length", "value", "128", "256", "RFC2407-4.5-06", 6, false},
		"lifetime of the traffic key": {group(func(g *policy.Group) { g.SAs[0].Lifetime = 2 * time.Hour }),
			"PULL2 SA/SAT/SA Life Duration", "value", "3599", "7199", "RFC6407-5.5.1-11", 6, false},
		"lifetime of the KEK": {group(func(g *policy.Group) { g.Rekey.KEKLifetime = 12 * time.Hour }),
			"PULL2 SA/SAK/KEK_KEY_LIFETIME", "value", "86399", "43199", "RFC6407-5.3.4-01", 4, false},
		"an activation delay": {group(func(g *policy.Group) { g.Activation.ATD = &atd }),
			"PULL2 SA/GAP", "presence", "", "ACTIVATION_TIME_DELAY=7", "RFC6407-5.4-02", 4, true},
		"width of the SIDs": {group(func(g *policy.Group) { g.SIDBits = 12 }),
			"PULL4 KD/Key Packet SID/NUMBER_OF_SID_BITS", "value", "8", "12", "RFC6407-5.6.4.1-01", 2, false},
		"acknowledgements asked for, and none wanted": {edit(core.Pull2, addAck),
			"PULL2 SA/SAK/KEK_ACK_REQUESTED", "presence", "", "REKEY_ACK_LKH_SHA256 (2)", "RFC8263-2-01", 2, false},
		"a Message ID in a PUSH": {edit(core.Push, func(o *core.Outgoing) { o.Header.MessageID = 7 }),
			"PUSH HDR/Message ID", "identity", "00000000", "00000007", "RFC6407-4.2-05", 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := compare(t, story{seed: "1"}, c.b)
			var at []int
			for i, d := range r.Differences {
				if d.Where == c.where {
					at = append(at, i)
				}
			}
			if len(at) == 0 || len(r.Differences) > 1 && !c.more {
				t.Fatalf("%+v", r.Differences)
			}
			d := r.Differences[at[0]]
			if string(d.What) != c.what || c.a != "" && d.A != c.a || d.B != c.v || !slices.Contains(d.Requirements, c.touches) ||
				len(d.Frames) < c.places || d.Frames[0].B == 0 {
				t.Errorf("%+v", d)
			}
		})
	}
}

// addAck asks for acknowledgements of a kind that the member does not give, so that nothing else changes.
func addAck(o *core.Outgoing) {
	for i, p := range o.Payloads {
		sa, ok := isakmp.Unwrap(p).(gdoi.SA)
		if !ok {
			continue
		}
		sa.Attributes = slices.Clone(sa.Attributes)
		sak := sa.Attributes[0].(gdoi.SAK)
		sak.Attributes = append(slices.Clone(sak.Attributes), wire.TV(gdoi.KEKAckRequested, 2))
		sa.Attributes[0], o.Payloads[i] = sak, sa
	}
}

// What the report says is readable, and its last line tells the outcome.
func TestPrint(t *testing.T) {
	var b strings.Builder
	r := compare(t, story{seed: "1"}, story{seed: "2", setup: lab.Setup{Group: func(g *policy.Group) { g.SAs[0].Transform.KeyBits = 256 }}})
	if err := pcapdiff.Print(&b, r, "good", "bad", func(id string) string { return "demands " + id }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A: good\n", "B: bad\n", "1. PULL2 SA/SAT/Key Length: 128 in A, 256 in B\n", "touches RFC2407-4.5-06: demands RFC2407-4.5-06\n", "\n1 difference in "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, b.String())
		}
	}
}
