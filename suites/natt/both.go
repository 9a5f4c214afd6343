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
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// side is the device's part: the kinds of its messages in a registration.
type side struct {
	name                      string
	offers, exchanges, proves core.Kind
	pulls                     [2]core.Kind
}

var (
	memberSide    = side{"the member", core.MainMode1, core.MainMode3, core.MainMode5, [2]core.Kind{core.Pull1, core.Pull3}}
	keyServerSide = side{"the key server", core.MainMode2, core.MainMode4, core.MainMode6, [2]core.Kind{core.Pull2, core.Pull4}}
)

// other is the tester's part.
func (s side) other() side {
	if s.offers == core.MainMode1 {
		return keyServerSide
	}
	return memberSide
}

var _ = Describe("NAT traversal at a key server (RFC 3947)", kit.Subject("natt"), kit.DUT(rule.KS), kit.Feature("nat-traversal"), func() {
	owes(keyServerSide)
	unmarked(keyServerSide)
})

var _ = Describe("NAT traversal at a group member (RFC 3947)", kit.Subject("natt"), kit.DUT(rule.GM), kit.Feature("nat-traversal"), func() {
	owes(memberSide)
	unmarked(memberSide)
})

// owes makes the specs of what both sides send.
func owes(mine side) {
	It(mine.name+" announces NAT traversal in its first message", kit.Requirement("RFC3947-3.1-01"), func(ctx SpecContext) {
		s := begin(ctx, open())
		Expect(vendors(s.message(ctx, s.device, mine.offers))).To(ContainElement(vendor))
	})

	It(mine.name+" sends no NAT-D to a peer that has not announced NAT traversal", kit.Requirement("RFC3947-3.1-01"), func(ctx SpecContext) {
		s := begin(ctx, open(), tester.NoNATVendor(mine.other().offers))
		Expect(payloads[isakmp.NATD](s.message(ctx, s.device, mine.exchanges))).To(BeEmpty())
	})

	It(mine.name+" sends no NAT-D to a peer that has announced something else", kit.Requirement("RFC3947-3.1-01"), func(ctx SpecContext) {
		s := begin(ctx, open(), tester.DraftNATVendor(mine.other().offers))
		Expect(payloads[isakmp.NATD](s.message(ctx, s.device, mine.exchanges))).To(BeEmpty())
	})

	It(mine.name+" sends a NAT-D for each end with its public value", kit.Requirement("RFC3947-3.2-02"), func(ctx SpecContext) {
		s := begin(ctx, open())
		Expect(len(payloads[isakmp.NATD](s.message(ctx, s.device, mine.exchanges)))).To(BeNumerically(">=", 2))
	})

	It(mine.name+" makes NAT-D of the address and port in use, the remote end's first", kit.Requirement("RFC3947-3.2-01"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		d := s.message(ctx, s.device, mine.exchanges)
		found := payloads[isakmp.NATD](d)
		Expect(len(found)).To(BeNumerically(">=", 2))
		Expect(found[0].Data).To(Equal(natd(d.header, d.to)), "of %s", d.to)
		Expect(found[1:]).To(ContainElement(isakmp.NATD{Data: natd(d.header, d.from)}), "of %s", d.from)
	})

	It(mine.name+" leaves the port of its identity at zero", kit.Requirement("RFC3947-4-07"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		Expect(s.comes(ctx, s.tester, mine.other().pulls[0])).To(BeTrue(), "the other side has taken the identity")
		proof := s.decoded(mine.proves)
		Expect(proof).NotTo(BeEmpty())
		Expect(kit.Value(proof[0], "ID/Port")).To(Equal("0"))
	})

	It(mine.name+" sends everything on port 4500 once a NAT was found", kit.Requirement("RFC3947-4-02"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		for _, kind := range append([]core.Kind{mine.proves}, mine.pulls[:]...) {
			Expect(s.message(ctx, s.device, kind).from.Port()).To(BeEquivalentTo(port), "%s", kind)
		}
		kit.Reached(s.registered(ctx), "the member registers")
		s.rekeys(ctx)
		Expect(onPort(s.messages(s.device), isakmp.ExchangePush, isakmp.ExchangePushACK)).To(HaveEach(BeEquivalentTo(port)), "what follows a rekey")
	})

	It(mine.name+" has a marker in front of each message on port 4500", kit.Requirement("RFC3947-4-03"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		kit.Reached(s.comes(ctx, s.device, mine.proves), "the device sends its proof")
		s.comes(ctx, s.device, mine.pulls[1])
		for _, d := range s.messages(s.device) {
			Expect(d.marked).To(Equal(d.from.Port() == port), "from port %d", d.from.Port())
		}
	})

	It(mine.name+" does not count the marker in Length", kit.Requirement("RFC3948-2.2-01"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		d := s.message(ctx, s.device, mine.proves)
		Expect(len(d.data)).To(Equal(int(d.header.Length) + marker))
	})

	It(mine.name+" stays on port 848 if there is no NAT", kit.Requirement("RFC3947-4-01"), func(ctx SpecContext) {
		s := begin(ctx, open())
		Expect(s.message(ctx, s.device, mine.pulls[1]).from.Port()).To(BeEquivalentTo(lab.Port))
		Expect(onPort(s.messages(s.device))).To(HaveEach(BeEquivalentTo(lab.Port)))
	})

	It(mine.name+" takes no notice of keepalives", kit.Requirement("RFC3948-2.3-02", "RFC3948-2.3-03"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		kit.Reached(s.registered(ctx), "the member registers")
		from, to := s.last(), netip.AddrPortFrom(s.KS.Addr().Addr(), port)
		if mine.offers == core.MainMode1 {
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

// unmarked makes the specs of messages on port 4500 whose marker is wrong.
func unmarked(mine side) {
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
		for i, kind := range []core.Kind{mine.other().proves, mine.other().pulls[0]} {
			d := c.deviate(kind)
			It(mine.name+" drops "+d.Name, kit.Requirement(string(c.requirement)), kit.Negative, func(ctx SpecContext) {
				s := begin(ctx, behind(), d)
				kit.Reached(s.comes(ctx, s.device, mine.before(i)), "the device comes as far as that")
				s.Pass(ctx, kit.Settle)
				goesOn := len(s.under(s.device, s.opening()))
				registered := s.afresh(ctx)
				Expect(goesOn).To(Equal((place(mine.before(i))+1)/2), "it goes on after %s", d.Name)
				kit.Control(registered, "a member registers once the marker is right")
			})
		}
	}
}

// before is the device's last message before the tester's proof, or before the tester's first message of the PULL.
func (s side) before(pull int) core.Kind {
	switch {
	case s.offers == core.MainMode1 && pull == 0:
		return s.proves
	case s.offers == core.MainMode1:
		return s.pulls[0]
	case pull == 0:
		return s.exchanges
	}
	return s.proves
}
