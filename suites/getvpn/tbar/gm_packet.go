package tbar

import (
	"encoding/binary"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The pseudotime in packets (GET VPN, time-based anti-replay)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	const window = 10 * time.Second

	for _, c := range []struct {
		octets int
		of     string
	}{{12, "as on IOS"}, {16, "as on IOS XE"}} {
		It(fmt.Sprintf("stands in a header of %d octets between ESP and the packet, %s, if the configuration says so", c.octets, c.of),
			kit.Requirement("GETVPN-TBAR-05", "GETVPN-TBAR-24"), func(ctx SpecContext) {
				setup := timed(window)
				setup.Member = func(_ int, m *policy.Member) { m.Metadata.Length = c.octets }
				s := device(ctx, setup)
				stamp := s.stamped(s.packet())
				Expect(stamp.Octets).To(Equal(c.octets), "octets of the header")
				Expect(stamp.Next).To(BeEquivalentTo(4), "what is behind it is an IPv4 packet")
			})
	}

	It("is what the key server told at registration, and the time since then", kit.Requirement("GETVPN-TBAR-06", "GETVPN-TBAR-11"), func(ctx SpecContext) {
		const told = 500000
		s := &scene{Lab: kit.Lab(ctx, hosts(timed(window))), ctx: ctx, keys: make(map[string]*tester.ESPKeys)}
		Expect(s.KS.Misbehave(tester.Taps(tester.Pseudotime(core.Pull2, told)))).To(Succeed())
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		began := s.Net.Now()
		kit.Precondition(s.GM[0].Start(ctx), "the device starts")
		kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers") // KS --> GM  HDR*, HASH(2), Nr, SA with 5000.00 s
		s.Pass(ctx, 3*tick)
		own := s.own()
		Expect(own).To(And(BeNumerically(">=", told+units(2*tick)), BeNumerically("<=", told+units(s.Net.Now().Sub(began)))), "the pseudotime of the device")
	})

	It("is the same within a tick, and larger in the next", kit.Requirement("GETVPN-TBAR-09"), func(ctx SpecContext) {
		s := device(ctx, timed(window))
		var stamps []uint64
		for range 4 {
			stamps = append(stamps, s.own())
			s.Pass(ctx, tick/5)
		}
		different := 0
		for i := 1; i < len(stamps); i++ {
			if stamps[i] != stamps[i-1] {
				different++
			}
		}
		Expect(different).To(BeNumerically("<=", 1), "ticks that begin within three fifths of one: %v", stamps)
		s.Pass(ctx, 2*tick)
		Expect(s.own()).To(BeNumerically(">", stamps[3]), "two ticks later")
	})

	It("lets a packet be taken as far as the window reaches, before and after the receiver's own, and no further", kit.Requirement("GETVPN-TBAR-06"),
		kit.Negative, func(ctx SpecContext) {
			s := device(ctx, timed(window))
			s.Pass(ctx, window+2*tick) // so that its own pseudotime is further from 0 than the window
			w := units(window)
			var got []bool
			s.within(func(own uint64) {
				at := func(stamp uint64) []tester.ESPOption { return []tester.ESPOption{tester.ESPStamp(stamp)} }
				got = s.taken(tester.ESPStamp(own), at(own-w-1), at(own-w), at(own-w+1), at(own), at(own+w-1), at(own+w), at(own+w+1))
			})
			Expect(got[1:6]).To(HaveEach(true), "packets within the window, with its edges")
			Expect(got[0]).To(BeFalse(), "a packet 0.01 s older than the window")
			Expect(got[6]).To(BeFalse(), "a packet 0.01 s newer than the window")
		})

	for _, octets := range []int{12, 16} {
		It(fmt.Sprintf("is read in a header of %d octets, whatever the receiver itself sends", octets), kit.Requirement("GETVPN-TBAR-05", "GETVPN-TBAR-24"), func(ctx SpecContext) {
			s := device(ctx, timed(window))
			inner := s.back()
			Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPStampLen(s.own(), octets)))).To(BeTrue(), "the packet is delivered without the header")
		})
	}

	It("is asked of every packet, and one without it is not taken", kit.Requirement("GETVPN-TBAR-05"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, timed(window))
		got := s.taken(tester.ESPStamp(s.own()), nil)
		Expect(got).To(HaveEach(false), "a packet without a pseudotime")
	})

	It("lets a packet that comes again be taken within the window, and not after it", kit.Requirement("GETVPN-TBAR-10"), kit.Negative, func(ctx SpecContext) {
		const short = 2 * time.Second
		s := device(ctx, timed(short))
		inner := s.back()
		packet := s.group().Packet(inner.Bytes(), tester.ESPStamp(s.own()))
		kit.Reached(s.takes(inner, packet), "the packet is taken")
		s.Pass(ctx, short/2)
		Expect(s.takes(inner, packet)).To(BeTrue(), "it is taken again half a window later")
		s.Pass(ctx, 2*short)
		before := kit.Now(s.Lab)
		s.inject(packet)
		s.taken(tester.ESPStamp(s.own()))
		Expect(s.arrived(before, inner)).To(BeFalse(), "it is not taken when the window is over")
	})

	It("is told to the operator with the receiver's own and counted, when a packet is refused for it", kit.Requirement("GETVPN-TBAR-14", "GETVPN-TBAR-15"),
		kit.Negative, func(ctx SpecContext) {
			s := device(ctx, timed(window))
			s.Pass(ctx, window+2*tick)
			errors := s.inputErrors()
			var own, stale uint64
			own = s.fresh()
			stale = own - units(window) - 500
			Expect(s.taken(tester.ESPStamp(own), []tester.ESPOption{tester.ESPStamp(stale)})).To(HaveEach(false))
			Expect(s.inputErrors()).To(Equal(errors+1), "packets refused under the SA")
			if s.GM[0].Tells("TIMEBASED_REPLAY_FAILED") {
				Expect(s.GM[0].AwaitLog(ctx, "TIMEBASED_REPLAY_FAILED", 0, lab.Patience)).To(BeTrue())
				line := s.GM[0].Logged("TIMEBASED_REPLAY_FAILED")[0]
				Expect(line.Fields).To(HaveKeyWithValue("peer_pst", seconds(stale)))
				Expect(line.Fields).To(HaveKeyWithValue("my_pst", Or(Equal(seconds(own)), Equal(seconds(own+units(tick))))))
				Expect(line.Fields).To(HaveKeyWithValue("window", "10"))
			}
		})
})

var _ = Describe("What a member tells an operator of the pseudotimes in packets (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	It("is those of packets that it sends and that it takes, while they are debugged and no longer", kit.Requirement("GETVPN-DEBUG-02"), func(ctx SpecContext) {
		s := device(ctx, timed(10*time.Second))
		s.Pass(ctx, 2*time.Second) // so that its pseudotimes are no numbers that stand in every text
		takes := func(ahead uint64) (sent, taken string) {
			own, inner := s.own(), s.back()
			kit.Reached(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPStamp(own+ahead))), "it takes a packet of the next seconds")
			return seconds(own), seconds(own + ahead)
		}
		types := func(line string) string {
			answer, err := s.GM[0].Console(ctx, line)
			kit.Precondition(err, "the console takes "+line)
			return answer.Text
		}
		types("debug crypto gdoi replay")
		sent, taken := takes(321)
		types("undebug all")
		sentAfter, takenAfter := takes(543)
		shown := types("show logging")
		Expect(shown).To(ContainSubstring(sent), "the pseudotime of the packet that it has sent")
		Expect(shown).To(ContainSubstring(taken), "the pseudotime of the packet that it has taken")
		Expect(shown).NotTo(ContainSubstring(takenAfter), "that of one after debugging has ended")
		if sentAfter != sent { // of one tick they are the same
			Expect(shown).NotTo(ContainSubstring(sentAfter), "nor that of one that it has sent then")
		}
	})
})

var _ = Describe("What a member counts of repeated packets (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	It("begins anew when the operator clears it, while the pseudotime goes on", kit.Requirement("GETVPN-SHOW-13"), func(ctx SpecContext) {
		const window = 10 * time.Second
		s := device(ctx, timed(window))
		s.Pass(ctx, window+2*tick)
		own := s.fresh()
		s.taken(tester.ESPStamp(own), []tester.ESPOption{tester.ESPStamp(0)})
		kit.Reached(s.inputErrors() == 1, "the device counts a packet that it refused")
		kit.Precondition(s.GM[0].ClearReplay(ctx), "the device is told to clear it")
		Expect(s.inputErrors()).To(BeZero(), "packets refused under the SA")
		Expect(s.own()).To(BeNumerically(">=", own), "the pseudotime of the device")
	})
})

// hosts is a setup with two members, and hosts behind them.
func hosts(setup lab.Setup) lab.Setup {
	setup.Members, setup.Hosts = 2, true
	return setup
}

// seconds writes a pseudotime as operators read it.
func seconds(stamp uint64) string { return fmt.Sprintf("%d.%02d", stamp/100, stamp%100) }

// inputErrors is how many packets the device says to have refused as repeated.
func (s *scene) inputErrors() (n uint64) {
	GinkgoHelper()
	status, err := s.GM[0].GMStatus(s.ctx)
	kit.Precondition(err, "the device shows its status")
	for _, sa := range status.SAs {
		if sa.Replay != nil {
			n += sa.Replay.InErrors
		}
	}
	return n
}

// biggest is the longest packet that fits into 1500 octets in tunnel mode under AES-GCM, with a header of so many octets: without the
// outer header, SPI, sequence number, IV, ICV, Pad Length and Next Header.
func biggest(header int) int { return 1500 - 20 - 8 - 8 - 16 - 2 - header }

var _ = Describe("The size of packets with a pseudotime (GET VPN, time-based anti-replay)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	for _, octets := range []int{12, 16} {
		It(fmt.Sprintf("is smaller inside by %d octets, which the configured header takes", octets), kit.Requirement("GETVPN-TBAR-25", "GETVPN-TBAR-24", "GETVPN-MTU-05"), func(ctx SpecContext) {
			setup := timed(10 * time.Second)
			setup.Member = func(_ int, m *policy.Member) { m.Metadata.Length = octets }
			s := device(ctx, setup)
			p, more := s.sized(biggest(octets)), s.sized(biggest(octets)+1)
			Expect(s.stamped(p).Octets).To(Equal(octets), "a packet of %d octets that must not be fragmented leaves", biggest(octets))
			before := kit.Now(s.Lab)
			kit.Precondition(s.Hosts[0].Send(more.Bytes()), "the host sends")
			s.stamped(s.packet())
			Expect(s.sent(before)).To(HaveLen(1), "one octet more does not")
		})
	}
})

// sized is a packet of so many octets that must not be fragmented.
func (s *scene) sized(octets int) lab.IPv4 {
	p := s.packet()
	p.DontFragment = true
	p.Payload = append(p.Payload, make([]byte, octets-len(p.Bytes()))...)
	p.Payload[2], p.Payload[3] = 0, 0
	binary.BigEndian.PutUint16(p.Payload[2:], lab.Checksum(p.Payload))
	return p
}
