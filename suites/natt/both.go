package natt

import (
	"context"
	"encoding/hex"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// side is the device's part in a mode of Phase 1: the kinds of its messages in a registration.
type side struct {
	name       string
	aggressive bool
	initiates  bool
	offers     core.Kind // with the Vendor ID
	exchanges  core.Kind // with NAT-D
	identifies core.Kind
	floated    []core.Kind // on port 4500, if there is a NAT; messages 1 and 3 or 2 and 4 of the PULL are the last
}

var (
	memberSide = side{"the member", false, true, core.MainMode1, core.MainMode3, core.MainMode5,
		[]core.Kind{core.MainMode5, core.Pull1, core.Pull3}}
	keyServerSide = side{"the key server", false, false, core.MainMode2, core.MainMode4, core.MainMode6,
		[]core.Kind{core.MainMode6, core.Pull2, core.Pull4}}
	aggressiveMember = side{"the member in Aggressive Mode", true, true, core.Aggressive1, core.Aggressive3, core.Aggressive1,
		[]core.Kind{core.Aggressive3, core.Pull1, core.Pull3}}
	aggressiveKeyServer = side{"the key server in Aggressive Mode", true, false, core.Aggressive2, core.Aggressive2, core.Aggressive2,
		[]core.Kind{core.Pull2, core.Pull4}}
)

// other is the tester's part.
func (s side) other() side {
	switch {
	case s.aggressive && s.initiates:
		return aggressiveKeyServer
	case s.aggressive:
		return aggressiveMember
	case s.initiates:
		return keyServerSide
	}
	return memberSide
}

// pulls are the device's messages of the PULL.
func (s side) pulls() []core.Kind { return s.floated[len(s.floated)-2:] }

// open is a setup in which everybody takes part in NAT traversal, in the side's mode, and nobody is behind a NAT.
func (s side) open() lab.Setup { return s.in(open()) }

// behind is open with the first member behind a NAT.
func (s side) behind() lab.Setup { return s.in(behind()) }

// in has a registration be in the side's mode.
func (s side) in(setup lab.Setup) lab.Setup {
	if !s.aggressive {
		return setup
	}
	keyServer, member := setup.KeyServer, setup.Member
	setup.KeyServer = func(c *policy.KeyServer) { keyServer(c); c.Phase1.Mode = policy.AggressiveMode }
	setup.Member = func(i int, c *policy.Member) { member(i, c); c.Phase1.Mode = policy.AggressiveMode }
	return setup
}

var _ = Describe("NAT traversal at a key server (RFC 3947)", kit.Subject("natt"), kit.DUT(rule.KS), kit.Feature("nat-traversal"), func() {
	owes(keyServerSide)
	unmarked(keyServerSide, core.MainMode5, core.Pull1)
	elsewhere(keyServerSide)
})

var _ = Describe("NAT traversal at a group member (RFC 3947)", kit.Subject("natt"), kit.DUT(rule.GM), kit.Feature("nat-traversal"), func() {
	owes(memberSide)
	unmarked(memberSide, core.MainMode6, core.Pull2)
	elsewhere(memberSide)
})

// owes makes the specs of what both sides send.
func owes(mine side) {
	It(mine.name+" announces NAT traversal in its first message", kit.Requirement("RFC3947-3.1-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.open())
		Expect(vendors(s.message(ctx, s.device, mine.offers))).To(ContainElement(vendor))
	})

	It(mine.name+" sends no NAT-D to a peer that has not announced NAT traversal", kit.Requirement("RFC3947-3.1-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.open(), tester.NoNATVendor(mine.other().offers))
		Expect(s.natds(ctx, mine.exchanges)).To(BeEmpty())
	})

	It(mine.name+" sends no NAT-D to a peer that has announced something else", kit.Requirement("RFC3947-3.1-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.open(), tester.DraftNATVendor(mine.other().offers))
		Expect(s.natds(ctx, mine.exchanges)).To(BeEmpty())
	})

	It(mine.name+" sends a NAT-D for each end", kit.Requirement("RFC3947-3.2-02"), func(ctx SpecContext) {
		s := begin(ctx, mine.open())
		Expect(len(s.natds(ctx, mine.exchanges))).To(BeNumerically(">=", 2))
	})

	It(mine.name+" makes NAT-D of the address and port in use, the remote end's first", kit.Requirement("RFC3947-3.2-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		d, found := s.message(ctx, s.device, mine.exchanges), s.natds(ctx, mine.exchanges)
		Expect(len(found)).To(BeNumerically(">=", 2))
		Expect(found[0]).To(Equal(natd(d.header, d.to)), "of %s", d.to)
		Expect(found[1:]).To(ContainElement(natd(d.header, d.from)), "of %s", d.from)
	})

	It(mine.name+" leaves the port of its identity at zero", kit.Requirement("RFC3947-4-07"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		Expect(s.comes(ctx, s.tester, mine.other().pulls()[0])).To(BeTrue(), "the other side has taken the identity")
		identity := s.decoded(mine.identifies)
		Expect(identity).NotTo(BeEmpty())
		Expect(kit.Value(identity[0], "ID/Port")).To(Equal("0"))
	})

	It(mine.name+" sends everything on port 4500 once a NAT was found", kit.Requirement("RFC3947-4-02", "RFC6407-2.2-03"), kit.Feature("ack"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		for _, kind := range mine.floated {
			Expect(s.message(ctx, s.device, kind).from.Port()).To(BeEquivalentTo(port), "%s", kind)
		}
		kit.Reached(s.registered(ctx), "the member registers")
		s.rekeys(ctx)
		Expect(onPort(s.messages(s.device), isakmp.ExchangePush, isakmp.ExchangePushACK)).To(HaveEach(BeEquivalentTo(port)), "what follows a rekey")
	})

	It(mine.name+" stays on port 848 in spite of a NAT with a peer that knows no other", kit.Requirement("RFC6407-2.2-03"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind(), tester.NoNATVendor(mine.other().offers))
		Expect(s.registered(ctx)).To(BeTrue(), "the member registers through the NAT")
		Expect(onPort(s.messages(s.device))).To(HaveEach(BeEquivalentTo(lab.Port)))
	})

	It(mine.name+" has a marker in front of each message on port 4500", kit.Requirement("RFC3947-4-03"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		kit.Reached(s.comes(ctx, s.device, mine.floated[0]), "the device sends something there")
		s.comes(ctx, s.device, mine.pulls()[1])
		for _, d := range s.messages(s.device) {
			Expect(d.marked).To(Equal(d.from.Port() == port), "from port %d", d.from.Port())
		}
	})

	It(mine.name+" does not count the marker in Length", kit.Requirement("RFC3948-2.2-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		d := s.message(ctx, s.device, mine.floated[0])
		Expect(len(d.data)).To(Equal(int(d.header.Length) + marker))
	})

	It(mine.name+" stays on port 848 if there is no NAT", kit.Requirement("RFC3947-4-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.open())
		Expect(s.message(ctx, s.device, mine.pulls()[1]).from.Port()).To(BeEquivalentTo(lab.Port))
		Expect(onPort(s.messages(s.device))).To(HaveEach(BeEquivalentTo(lab.Port)))
	})

	It(mine.name+" takes no notice of keepalives", kit.Requirement("RFC3948-2.3-02", "RFC3948-2.3-03"), kit.Feature("ack"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		kit.Reached(s.registered(ctx), "the member registers")
		from, to := s.last(), netip.AddrPortFrom(s.KS.Addr().Addr(), port)
		if mine.initiates {
			from, to = to, from
		}
		before := len(s.messages(s.device))
		for range 50 {
			s.inject(from, to, []byte{0xff})
		}
		s.Pass(ctx, kit.Settle)
		Expect(s.messages(s.device)).To(HaveLen(before), "nothing is answered")
		kit.ExpectRefused(ctx, s.device, "RFC3947-4-03", BeZero(), "nothing is refused")
		Expect(s.rekeys(ctx)).To(BeTrue(), "a rekey still goes through")
	})
}

// vendors are the Vendor IDs of a message, in hexadecimal.
func vendors(d datagram) (all []string) {
	for _, v := range payloads[isakmp.VID](d) {
		all = append(all, hex.EncodeToString(v.Data))
	}
	return all
}

// onPort are the ports that messages left from, of these exchanges if there are any.
func onPort(ds []datagram, exchanges ...isakmp.ExchangeType) (ports []uint16) {
	for _, d := range ds {
		if len(exchanges) == 0 {
			ports = append(ports, d.from.Port())
		}
		for _, e := range exchanges {
			if d.header.Exchange == e {
				ports = append(ports, d.from.Port())
			}
		}
	}
	return ports
}

// rekeys has the key server rekey, and reports whether the first member gets it and says so.
func (s *scene) rekeys(ctx context.Context) bool {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	s.pushed(ctx)
	return s.Wait(ctx, lab.Patience, func() bool {
		return len(kit.MessagesSince(s.Lab, since, core.PushACK.String())) > 0
	})
}

// unmarked makes the specs of messages of these kinds on port 4500 whose marker is wrong.
func unmarked(mine side, kinds ...core.Kind) {
	for _, c := range []struct {
		requirement rule.ID
		deviate     func(core.Kind) tester.Deviation
	}{
		{"RFC3947-4-03", tester.Unmarked},
		{"RFC3947-4-03", tester.WrongMarker},
		{"RFC3948-2.2-01", tester.ShortMarker},
		{"RFC3948-2.2-01", tester.LongMarker},
		{"RFC3948-2.2-01", tester.MarkerCounted},
	} {
		for _, kind := range kinds {
			dropsMarked(mine, mine.behind(), c.requirement, kind, c.deviate(kind))
		}
	}
}

// elsewhere makes the spec of a marker on a port that has none.
func elsewhere(mine side) {
	kind := mine.other().exchanges
	dropsMarked(mine, mine.open(), "RFC3948-2.2-01", kind, tester.MarkerElsewhere(kind))
}

// dropsMarked makes the spec of a message of the tester's whose front is wrong.
func dropsMarked(mine side, setup lab.Setup, requirement rule.ID, kind core.Kind, d tester.Deviation) {
	It(mine.name+" drops "+d.Name, kit.Requirement(string(requirement)), kit.Negative, func(ctx SpecContext) {
		s := begin(ctx, setup, d)
		last := mine.before(kind)
		kit.Reached(s.comes(ctx, s.device, last), "the device comes as far as that")
		s.Pass(ctx, kit.Settle)
		goesOn := len(s.under(s.device, s.opening()))
		registered := s.afresh(ctx)
		Expect(goesOn).To(Equal(s.sentBy(last)), "it goes on after %s", d.Name)
		kit.Control(registered, "a member registers once it is right")
	})
}

// before is the device's last message before one of the tester's.
func (s side) before(kind core.Kind) core.Kind {
	if kind == core.Pull1 {
		return s.identifies // which the responder has in its last message
	}
	return kind - 1
}
