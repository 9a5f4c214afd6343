package dataplane

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// arrival is the sequence number of a packet, and whether it is to be taken.
type arrival struct {
	n     uint32
	taken bool
}

// run lists the numbers from the first to the last.
func run(first, last uint32, taken bool) (all []arrival) {
	for n := first; n <= last; n++ {
		all = append(all, arrival{n, taken})
	}
	return all
}

// oneByOne puts packets of those numbers on the WAN, and one behind them that has to be delivered.
func (s *scene) oneByOne(keys *tester.ESPKeys, last uint32, numbers ...[]arrival) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	var wanted []arrival
	var inner []lab.IPv4
	for _, some := range numbers {
		for _, c := range some {
			p := s.back()
			s.inject(keys.Packet(p.Bytes(), tester.ESPSequence(c.n)))
			wanted, inner = append(wanted, c), append(inner, p)
		}
	}
	p := s.back()
	kit.Control(s.takes(p, keys.Packet(p.Bytes(), tester.ESPSequence(last))) != nil, "a number that is new is delivered behind them")
	lan := s.onLAN(before)
	for i, c := range wanted {
		Expect(arrived(lan, inner[i]) != nil).To(Equal(c.taken), "packet %d of %d, with number %d", i+1, len(wanted), c.n)
	}
}

var _ = Describe("The replay window as it moves (RFC 4303 §3.4.3)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	const window = 64
	windowed := func(_ int, c *policy.Member) { c.ReplayWindow = window }

	It("takes every number of the window once, in whatever order", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-07"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: windowed})
			var mixed []arrival
			for i := range uint32(window) {
				mixed = append(mixed, arrival{1 + i*37%window, true})
			}
			s.oneByOne(s.group(), window+1, mixed, run(1, window, false))
		})

	for _, c := range []struct {
		name string
		by   uint32
	}{{"its own length", window}, {"twice its length", 2 * window}, {"less than its length", window - 9}, {"many times its length", 100*window + 5}} {
		It("takes the numbers that come into the window for the first time when it moves by "+c.name, kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-06"),
			kit.Negative, func(ctx SpecContext) {
				s := device(ctx, lab.Setup{Member: windowed})
				top := window + c.by
				first := max(top-window, window) + 1 // the first that is in the window and has not come
				s.oneByOne(s.group(), top+1, run(1, window, true), run(top, top, true), run(first, top-1, true), run(first, top, false))
			})
	}

	It("takes a number of more than 31 bits for a high one", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-06"), kit.Negative, func(ctx SpecContext) {
		const half = 1 << 31
		s := device(ctx, lab.Setup{Member: windowed})
		s.oneByOne(s.group(), half+3, run(half-1, half-1, true), run(half+1, half+1, true), run(half-2, half-2, true), run(half, half, true),
			run(half-2, half+1, false), run(1, 2, false))
	})

	It("does not begin anew after the last number of 32 bits", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-06"), kit.Negative, func(ctx SpecContext) {
		const last = 1<<32 - 1
		s := device(ctx, lab.Setup{Member: windowed})
		s.oneByOne(s.group(), last-2, run(last-1, last-1, true), []arrival{{last, true}, {0, false}, {1, false}, {2, false}, {last, false}})
	})

	It("has a window for each SA", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-06"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Member: windowed, Group: func(g *policy.Group) { g.SAs = append(g.SAs, g.SAs[0]) }})
		for _, spi := range s.spis() {
			s.oneByOne(s.sa(spi), 1002, run(1000, 1001, true), run(1001, 1001, false), run(1, 1, false))
		}
		s.oneByOne(s.sa(s.spis()[0]), 1003, run(1002, 1002, false))
	})

	It("begins a new window for the SA of a rekey, and keeps that of the SA before", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-2.2-03"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: windowed})
			old := s.group()
			s.oneByOne(old, 1001, run(999, 1000, true))
			rekey := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			kit.Reached(kit.Takes(ctx, s.Lab, 1, rekey), "the device takes a rekey")
			s.oneByOne(s.sa(rekey.SPIs[0]), 4, run(2, 3, true), run(2, 2, false))
			before := kit.Now(s.Lab)
			again, next := s.back(), s.back()
			s.inject(old.Packet(again.Bytes(), tester.ESPSequence(1000)))
			kit.Control(s.takes(next, s.sa(rekey.SPIs[0]).Packet(next.Bytes(), tester.ESPSequence(5))) != nil, "an honest packet under the new SA is delivered")
			Expect(arrived(s.onLAN(before), again)).To(BeNil(), "a number that came before the rekey is not taken again")
		})

	It("begins with the number 1 under the SA of a rekey", kit.Requirement("RFC4303-2.2-03", "RFC4303-2.2-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		for range 5 {
			s.leaves1(s.packet())
		}
		rekey := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		kit.Reached(kit.Takes(ctx, s.Lab, 1, rekey), "the device takes a rekey")
		since := kit.Now(s.Lab)
		Expect(kit.Follows(ctx, s.Lab, 1, 2, rekey.SPIs[0])).To(BeTrue(), "it sends under the new SA")
		for _, p := range s.out(since) {
			if p.ESP != nil && kit.SPI(p.ESP.SPI) == rekey.SPIs[0] {
				Expect(p.ESP.Sequence).To(Equal(uint32(1)), "the first packet under it")
				break
			}
		}
	})
})
