package dataplane

import (
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// lasting has the SAs of the group live so long.
func lasting(d time.Duration) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].Lifetime = d }
}

// delayed has rekeys name these delays, in seconds; a negative one is left out.
func delayed(atd, dtd int) func(*policy.Group) {
	return func(g *policy.Group) { g.Activation = policy.Activation{ATD: seconds(atd), DTD: seconds(dtd)} }
}

func seconds(n int) *time.Duration {
	if n < 0 {
		return nil
	}
	return new(time.Duration(n) * time.Second)
}

// rollover is a rekey under way.
type rollover struct {
	*scene
	start    time.Time // when the device got the PUSH
	old, new *tester.ESPKeys
}

// settled lets the activation delay of the registration pass.
func settled(s *scene) *scene {
	s.Pass(s.ctx, longestATD+time.Second)
	return s
}

const longestATD = 5 * time.Second

// rekeyed has the device get a rekey.
func rekeyed(s *scene) *rollover {
	GinkgoHelper()
	r := &rollover{scene: s, old: s.group()}
	rekey := kit.Rekey(s.ctx, s.Lab, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ, SA with GAP, KD, SIG
	kit.Reached(kit.Takes(s.ctx, s.Lab, 1, rekey), "the device accepts the rekey")
	r.start, r.new = s.Now(), s.sa(rekey.SPIs[0])
	return r
}

// at lets time pass until so many seconds after the rekey.
func (r *rollover) at(after float64) {
	r.Pass(r.ctx, r.start.Add(time.Duration(after*float64(time.Second))).Sub(r.Now()))
}

// sendsUnder reports whether the device sends under that SA now.
func (r *rollover) sendsUnder(sa *tester.ESPKeys) bool {
	GinkgoHelper()
	out := r.leaves1(r.packet())
	return out.ESP != nil && out.ESP.SPI == sa.SPI
}

// receivesUnder reports whether the device takes a packet of that SA now.
func (r *rollover) receivesUnder(sa *tester.ESPKeys) bool {
	GinkgoHelper()
	before := kit.Now(r.Lab)
	inner, last := r.back(), r.back()
	r.inject(sa.Packet(inner.Bytes()))
	Expect(r.takes(last, r.new.Packet(last.Bytes()))).NotTo(BeNil(), "the new SA receives all the time")
	return arrived(r.onLAN(before), inner) != nil
}

var _ = Describe("Rollover (RFC 5374 §4.2.1, RFC 6407 §5.4.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), kit.Needs(lab.NeedVirtualTime), func() {
	It("sends on the old SA until ATD has passed and on the new one from then on",
		kit.Requirement("RFC6407-5.4.1-01", "RFC5374-4.2.1-05"), func(ctx SpecContext) {
			r := rekeyed(settled(device(ctx, lab.Setup{Group: delayed(5, 10)})))
			for _, after := range []float64{0, 2, 4.5} {
				r.at(after)
				Expect(r.sendsUnder(r.old)).To(BeTrue(), "it sends on the old SA after %v s", after)
			}
			for _, after := range []float64{5.5, 7, 12, 600} {
				r.at(after)
				Expect(r.sendsUnder(r.new)).To(BeTrue(), "it sends on the new SA after %v s", after)
			}
		})

	It("receives on the new SA at once", kit.Requirement("RFC5374-4.2.1-05", "RFC5374-4.2.1-07"), func(ctx SpecContext) {
		r := rekeyed(settled(device(ctx, lab.Setup{Group: delayed(5, 10)})))
		Expect(r.receivesUnder(r.new)).To(BeTrue(), "at once")
		r.at(0.5)
		Expect(r.receivesUnder(r.new)).To(BeTrue(), "long before ATD")
		Expect(r.receivesUnder(r.old)).To(BeTrue(), "and on the old one")
	})

	It("receives on the old SA until DTD has passed and no longer", kit.Requirement("RFC6407-5.4.1-02", "RFC5374-4.2.1-06"), kit.Negative,
		func(ctx SpecContext) {
			r := rekeyed(settled(device(ctx, lab.Setup{Group: delayed(5, 10)})))
			for _, after := range []float64{0.5, 5.5, 9.5} {
				r.at(after)
				Expect(r.receivesUnder(r.old)).To(BeTrue(), "it receives on the old SA after %v s", after)
			}
			for _, after := range []float64{10.5, 600} {
				r.at(after)
				Expect(r.receivesUnder(r.old)).To(BeFalse(), "it receives nothing on the old SA after %v s", after)
			}
			kit.Control(r.receivesUnder(r.new), "the new SA receives")
		})

	It("switches at once and receives on the old SA until its lifetime ends when there are no delays",
		kit.Requirement("RFC5374-4.2.1-04", "RFC5374-4.2.1-07"), func(ctx SpecContext) {
			r := rekeyed(device(ctx, lab.Setup{Group: lasting(10 * time.Minute)}))
			Expect(r.sendsUnder(r.new)).To(BeTrue(), "it sends on the new SA")
			r.at(300)
			Expect(r.receivesUnder(r.old)).To(BeTrue(), "the old SA receives")
			r.at(601)
			r.new = r.group() // there has been another rekey by now
			Expect(r.receivesUnder(r.old)).To(BeFalse(), "the old SA has ended")
		})

	for _, c := range []struct {
		name     string
		atd, dtd int
	}{
		{"loses no packet of a steady stream through a rekey with ATD and DTD", 5, 10},
		{"loses no packet of a steady stream through a rekey with DTD only", -1, 5},
		{"loses no packet of a steady stream through a rekey with ATD only", 3, -1},
	} {
		It(c.name, kit.Requirement("RFC6407-5.4.1-03"), func(ctx SpecContext) {
			s := settled(pair(ctx, lab.Setup{Group: delayed(c.atd, c.dtd)}))
			before := kit.Now(s.Lab)
			probe, err := s.Hosts[0].Ping(ctx, h2, lab.Ping{Interval: 100 * time.Millisecond})
			kit.Precondition(err, "the host pings")
			s.Pass(ctx, time.Second)
			rekeyed(s)
			s.Pass(ctx, 12*time.Second)
			result := probe.Stop()
			Expect(result.Received).To(Equal(result.Sent), "answers")
			Expect(result.Duplicates).To(BeZero())
			Expect(kit.ClearSince(s.Lab, before)).To(BeEmpty(), "nothing in clear")
		})
	}

	It("never goes back to the old SA, even when the new one is gone before it", kit.Requirement("RFC5374-4.2.1-06"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			kit.Precondition(s.KS.Misbehave(tester.Taps(shortLived(core.Push, 30))), "the tester sends SAs that end soon")
			r := rekeyed(s)
			before := kit.Now(s.Lab)
			kit.Control(r.sendsUnder(r.new), "it sends on the new SA")
			kit.Precondition(s.KS.Stop(), "the key server stops")
			for range 12 {
				s.Pass(ctx, 5*time.Second)
				s.send(s.packet())
			}
			s.Pass(ctx, moment)
			for _, p := range s.onWAN(before) {
				Expect(p.ESP).NotTo(BeNil(), "nothing leaves in clear")
				Expect(p.ESP.SPI).To(Equal(r.new.SPI), "nor on the old SA")
			}
		})

	It("ends an SA with its lifetime", kit.Requirement("RFC6407-5.5.1-11"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Group: lasting(time.Minute)})
		end := s.Now().Add(lifetime(s))
		kit.Precondition(s.KS.Stop(), "the key server stops")
		s.Pass(ctx, end.Add(-500*time.Millisecond).Sub(s.Now()))
		kit.Control(s.leaves1(s.packet()).ESP != nil, "it sends half a second before the end")
		Expect(s.honest()).To(BeTrue(), "and receives")
		s.Pass(ctx, end.Add(500*time.Millisecond).Sub(s.Now()))
		before := kit.Now(s.Lab)
		s.send(s.packet())
		s.inject(s.group().Packet(s.back().Bytes()))
		s.Pass(ctx, moment)
		Expect(s.out(before)).To(BeEmpty(), "it sends nothing half a second after the end")
		Expect(s.onLAN(before)).To(BeEmpty(), "and receives nothing")
	})
})

// shortLived has the SAs in a message end after so many seconds.
func shortLived(kind core.Kind, seconds uint32) tester.Deviation {
	return tester.EditSAT(kind, "a life of "+strconv.Itoa(int(seconds))+" s", func(t *gdoi.SAT) {
		t.ESP.Attributes = tester.SetAttribute(t.ESP.Attributes, wire.TLV32(gdoi.SALifeDuration, seconds))
	})
}

// lifetime is how long the device was told that its SA lives.
func lifetime(s *scene) time.Duration {
	GinkgoHelper()
	for _, m := range kit.MessagesSince(s.Lab, 0, "PULL2") {
		if text, ok := value(m.Payloads, "SA Life Duration"); ok {
			n, err := strconv.Atoi(text)
			kit.Precondition(err, "the SA has a lifetime in seconds")
			return time.Duration(n) * time.Second
		}
	}
	kit.Reached(false, "the key server has told a lifetime")
	return 0
}

// value finds a field by its name, at any depth.
func value(fields []capture.Field, name string) (string, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f.Value, true
		}
		if text, ok := value(f.Children, name); ok {
			return text, ok
		}
	}
	return "", false
}
