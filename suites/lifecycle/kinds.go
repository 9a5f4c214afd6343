package lifecycle

import (
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// first stands for the SPI of the group's first SA in the arguments of a rekey.
const first = "the first SA"

// kind is one kind of PUSH. The group has two SAs.
type kind struct {
	what     string // "a PUSH " …
	requires []string
	args     control.RekeyArgs
	payloads string   // of the message, as a reader names them
	deletes  []string // what its Deletes are for
	sats     int
	kek      bool   // the next PUSH is under another Rekey SA, and not only for who registers
	fresh    bool   // what the message brings is new
	again    bool   // members have to register again
	flows    []bool // which flows a member can protect afterwards
}

const deletesESP, deletesKEK = "ESP (1)", "KEK (0)"

var all, second, none = []bool{true, true}, []bool{false, true}, []bool{false, false}

// kinds are those that RFC 6407 §4 leaves room for. SA and KD come together or not at all (§5.9), a KD has the keys of
// each SAT and of the SAK (§4.3), and a SAK is another Rekey SA (§4). So policy alone, without its keys, has no message: what
// comes nearest tells the SAs in force once more.
var kinds = []kind{
	{what: "with new TEKs", requires: []string{"RFC6407-4.3-03"}, args: control.RekeyArgs{TEK: true},
		payloads: "SEQ SA KD SIG", sats: 2, fresh: true, flows: all},
	{what: "with a new KEK and new TEKs", requires: []string{"RFC6407-4.3-03", "RFC6407-4-04"}, args: control.RekeyArgs{KEK: true},
		payloads: "SEQ SA KD SIG", sats: 2, kek: true, fresh: true, flows: all},
	{what: "with a new KEK alone", requires: []string{"RFC6407-4.3-03", "RFC6407-4-04"}, args: control.RekeyArgs{KEK: true, KEKOnly: true},
		payloads: "SEQ SA KD SIG", kek: true, flows: all},
	{what: "that deletes one SA", requires: []string{"RFC6407-5.9-01", "RFC6407-5.9-02", "RFC6407-5.9-04"},
		args:     control.RekeyArgs{DeleteTEKs: []string{first}},
		payloads: "SEQ D SIG", deletes: []string{deletesESP}, flows: second},
	{what: "that deletes all SAs", requires: []string{"RFC6407-5.9-01", "RFC6407-5.9-02", "RFC6407-5.9-07"},
		args:     control.RekeyArgs{DeleteTEKs: []string{"0"}},
		payloads: "SEQ D SIG", deletes: []string{deletesESP}, flows: none},
	{what: "that deletes the KEK", requires: []string{"RFC6407-5.9-01", "RFC6407-5.9-02", "RFC6407-5.9-05"},
		args:     control.RekeyArgs{DeleteKEK: true},
		payloads: "SEQ D SIG", deletes: []string{deletesKEK}, again: true, flows: all},
	{what: "that deletes one SA and the KEK", requires: []string{"RFC6407-5.9-06", "RFC6407-5.9-02"},
		args:     control.RekeyArgs{DeleteTEKs: []string{first}, DeleteKEK: true},
		payloads: "SEQ D D SIG", deletes: []string{deletesESP, deletesKEK}, again: true, flows: all},
	{what: "that deletes everything", requires: []string{"RFC6407-5.9-08", "RFC6407-5.9-06"}, args: control.RekeyArgs{DeleteAll: true},
		payloads: "SEQ D D SIG", deletes: []string{deletesESP, deletesKEK}, again: true, flows: all},
	{what: "that deletes all SAs and brings new ones", requires: []string{"RFC6407-5.9-01", "RFC6407-4.3-03"},
		args:     control.RekeyArgs{DeleteTEKs: []string{"0"}, TEK: true},
		payloads: "SEQ D SA KD SIG", deletes: []string{deletesESP}, sats: 2, fresh: true, flows: all},
	{what: "that deletes all SAs and brings new ones beside a new KEK", requires: []string{"RFC6407-5.9-01", "RFC6407-4.3-03", "RFC6407-4-04"},
		args:     control.RekeyArgs{DeleteTEKs: []string{"0"}, KEK: true},
		payloads: "SEQ D SA KD SIG", deletes: []string{deletesESP}, sats: 2, kek: true, fresh: true, flows: all},
	{what: "that tells the SAs in force once more", requires: []string{"RFC6407-4.3-03", "RFC6407-4.3-02"},
		args:     control.RekeyArgs{Announce: true},
		payloads: "SEQ SA KD SIG", sats: 2, flows: all},
	{what: "that tells the SAs in force once more with a shorter life", requires: []string{"RFC6407-4.3-03", "RFC6407-5.5.1-11"},
		args:     control.RekeyArgs{Announce: true, Lifetime: 1800},
		payloads: "SEQ SA KD SIG", sats: 2, flows: all},
	{what: "that tells the SAs in force once more beside a new KEK", requires: []string{"RFC6407-4.3-03", "RFC6407-4-04"},
		args:     control.RekeyArgs{Announce: true, KEKOnly: true},
		payloads: "SEQ SA KD SIG", sats: 2, kek: true, flows: all},
}

// renewed reports whether a flow has another SA after the PUSH, or after the registration that it calls for.
func (k kind) renewed(flow int) bool {
	return k.fresh || k.args.DeleteAll || len(k.args.DeleteTEKs) > 0 && (flow == 0 || k.args.DeleteTEKs[0] == "0")
}

// order is the arguments with the SPI of the group's first SA in its place.
func (k kind) order(before []string) control.RekeyArgs {
	args := k.args
	if len(args.DeleteTEKs) == 1 && args.DeleteTEKs[0] == first {
		args.DeleteTEKs = before[:1]
	}
	return args
}

var twoFlows = toward(lab.GCM(), lab.GCM())

var _ = Describe("Every kind of GROUPKEY-PUSH of a key server (RFC 6407 §4, §5.9)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	for _, k := range kinds {
		It("sends a PUSH "+k.what, kit.Requirement(append(k.requires, "RFC6407-4-01")...), func(ctx SpecContext) {
			s := group(ctx, 1, twoFlows)
			before := s.inForce(0)
			p := s.rekey(k.order(before))
			m := s.seen(p)
			Expect(strings.Join(kit.Names(m), " ")).To(Equal(k.payloads))
			Expect(kit.Checked(m, "SIG")).To(Equal(capture.OK))
			Expect(values(m.Payloads, "D", "Protocol")).To(Equal(k.deletes))
			sats := values(m.Payloads, "SA", "SAT", "SPI")
			Expect(sats).To(HaveLen(k.sats))
			Expect(values(m.Payloads, "KD", "Key Packet TEK", "SPI")).To(ConsistOf(sats), "a key for each SAT and no other")
			for _, spi := range sats {
				Expect(slices.Contains(before, spi)).NotTo(Equal(k.fresh), "SPI %s", spi)
			}
			Expect(values(m.Payloads, "KD", "Key Packet KEK", "SPI")).To(Equal(values(m.Payloads, "SA", "SAK", "SPI")))
			Expect(len(values(m.Payloads, "SA", "SAK")) == 1).To(Equal(k.kek))
			Expect(s.carriesOut(1, p)).To(BeTrue(), "the member understands it")
			if k.again {
				Expect(s.registers(1, 1)).To(BeTrue(), "the member registers again")
			}
			offered := values(s.offer().Payloads, "SA", "SAT", "SPI")
			Expect(offered).To(HaveLen(2))
			for flow, spi := range offered {
				Expect(spi == before[flow]).NotTo(Equal(k.renewed(flow)), "what who registers gets for flow %d", flow+1)
			}
		})
	}

	It("tells the SAs in force with their keys and what is left of their life", kit.Requirement("RFC6407-4.3-03", "RFC6407-5.5.1-11"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := group(ctx, 1)
			given := kit.Last(s.pulls(0, core.Pull4, 1))
			s.Pass(ctx, 10*time.Minute)
			m := s.seen(s.rekey(control.RekeyArgs{Announce: true}))
			Expect(values(m.Payloads, "KD", "Key Packet TEK", "TEK_ALGORITHM_KEY")).
				To(Equal(values(given.Payloads, "KD", "Key Packet TEK", "TEK_ALGORITHM_KEY")))
			Expect(kit.Value(m, "SA/SAT/SA Life Duration")).To(BeElementOf("2999", "3000"))
			m = s.seen(s.rekey(control.RekeyArgs{Announce: true, Lifetime: 100}))
			Expect(kit.Value(m, "SA/SAT/SA Life Duration")).To(Equal("100"))
			since := kit.Now(s.Lab)
			s.Pass(ctx, 95*time.Second)
			next := kit.MessagesSince(s.Lab, since, core.Push.String())
			Expect(next).To(HaveLen(1), "it replaces the SA before its new end")
			Expect(values(next[0].Payloads, "SA", "SAT", "SPI")).NotTo(Equal(values(m.Payloads, "SA", "SAT", "SPI")))
		})
})

var _ = Describe("Every kind of GROUPKEY-PUSH at a group member (RFC 6407 §4.4, §5.9)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	for _, k := range kinds {
		It("carries out a PUSH "+k.what, kit.Requirement(append(k.requires, "RFC6407-4.4-04", "RFC5374-4.2.1-01")...), func(ctx SpecContext) {
			s := group(ctx, 3, twoFlows)
			before := []string{s.protects(1, 2), s.protects(1, 3)}
			p := s.rekey(k.order(s.inForce(0)))
			Expect(s.carriesOut(1, p)).To(BeTrue(), "it takes the message")
			if k.again {
				Expect(s.registers(1, 1)).To(BeTrue(), "it registers again")
			}
			if k.fresh {
				s.goesOver(1, p)
			}
			for n, open := range k.flows {
				if !open {
					Expect(s.closed(1, n+2)).To(BeTrue(), "what flow %d protected does not leave", n+1)
					continue
				}
				if k.renewed(n) {
					Expect(s.sends(1, n+2)).NotTo(BeElementOf(before[n], nothing), "flow %d has its new SA", n+1)
				} else {
					Expect(s.sends(1, n+2)).To(Equal(before[n]), "flow %d keeps its SA", n+1)
				}
			}
			next := s.rekey(control.RekeyArgs{TEK: true})
			Expect(s.carriesOut(1, next)).To(BeTrue(), "it takes the next rekey")
			s.goesOver(1, next)
			Expect([]string{s.sends(1, 2), s.sends(1, 3)}).To(Equal(next.SPIs), "with an SA for each flow")
		})
	}

	It("goes on with numbers and IVs under an SA that is told once more", kit.Requirement("RFC6407-3.5-01", "RFC6054-3-03", "RFC4303-2.2-02"),
		func(ctx SpecContext) {
			s := group(ctx, 2)
			since := kit.Now(s.Lab)
			for range 3 {
				s.protects(1, 2)
				Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{Announce: true}))).To(BeTrue())
			}
			s.protects(1, 2)
			sent := s.encrypted(since, 1, 2)
			Expect(len(sent)).To(BeNumerically(">=", 4))
			ivs := map[string]bool{}
			for n, p := range sent {
				ip, _ := lab.ParseIPv4(p.Packet)
				ivs[string(ip.Payload[8:16])] = true
				Expect(p.SPI).To(Equal(sent[0].SPI))
				Expect(p.Sequence).To(Equal(sent[0].Sequence+uint32(n)), "the numbers go on")
			}
			Expect(ivs).To(HaveLen(len(sent)), "no IV comes twice")
		})

	It("ends an SA with the shorter life that it is told", kit.Requirement("RFC6407-5.5.1-11"), kit.Needs(lab.NeedVirtualTime), kit.Negative,
		func(ctx SpecContext) {
			s := group(ctx, 2)
			s.protects(1, 2)
			p := s.rekey(control.RekeyArgs{Announce: true, Lifetime: 60})
			Expect(s.carriesOut(1, p)).To(BeTrue())
			kit.Precondition(s.KS.Stop(), "the key server stops")
			s.Pass(ctx, p.at.Add(59*time.Second).Sub(s.Now()))
			kit.Control(s.sends(1, 2) != nothing, "it sends until then")
			s.Pass(ctx, p.at.Add(61*time.Second).Sub(s.Now()))
			Expect(s.closed(1, 2)).To(BeTrue(), "it sends nothing after")
		})

	It("registers again before the shorter end of an SA if no rekey comes", kit.Requirement("RFC6407-5.5.1-11", "RFC6407-4.4-04"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s := group(ctx, 2)
			s.protects(1, 2)
			p := s.rekey(control.RekeyArgs{Announce: true, Lifetime: 100})
			Expect(s.carriesOut(1, p)).To(BeTrue())
			s.withhold()
			s.Pass(ctx, p.at.Add(101*time.Second).Sub(s.Now()))
			Expect(s.registrations(1)).To(Equal(2))
			Expect(s.sends(1, 2)).NotTo(BeElementOf(p.SPIs[0], nothing), "it sends under another SA without a pause")
		})

	It("takes an SA that it has missed when it is told once more", kit.Requirement("RFC6407-4-06", "RFC6407-4.4-04"), func(ctx SpecContext) {
		s := group(ctx, 2)
		before := s.protects(1, 2)
		end := s.withhold(s.GM[0].Addr().Addr())
		missed := s.rekey(control.RekeyArgs{})
		Expect(s.carriesOut(2, missed)).To(BeTrue(), "the other member takes it")
		Expect(s.sends(1, 2)).To(Equal(before), "the rekey has not reached the member")
		end()
		told := s.rekey(control.RekeyArgs{Announce: true})
		Expect(s.carriesOut(1, told)).To(BeTrue())
		s.goesOver(1, missed)
		Expect(s.sends(1, 2)).To(Equal(missed.SPIs[0]))
		Expect(s.hears(1, 2)).To(BeTrue(), "and receives under it")
	})
})

// offer has member 1 register once more and returns what it is offered.
func (s *scene) offer() capture.Message {
	GinkgoHelper()
	kit.Reached(s.registers(1, 0), "the member is registered")
	kit.Precondition(s.GM[0].AwaitRegistered(s.ctx), "the member is registered")
	times := s.registrations(1)
	kit.Precondition(s.GM[0].Register(s.ctx), "the operator has the member register")
	kit.Reached(s.registers(1, times), "the member registers")
	return kit.Last(s.pulls(0, core.Pull2, 1))
}
