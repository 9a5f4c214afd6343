package registration

import (
	"encoding/hex"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Whom and what a member trusts (RFC 6407 §3.1, §3.3)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	It("asks for no group at a key server that proves another identity", kit.Negative,
		kit.Requirement("RFC6407-3.1-02", "RFC5374-4.1.3.5-01", "RFC5374-4.1.3.5-02", "RFC6407-7.2.6-02"), func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			misbehave(l, tester.Once(tester.Edit(core.MainMode6, "another identity", "RFC 6407 §3.1", func(id isakmp.ID) isakmp.Payload {
				id.Data = lab.KeyServerAddr.Next().AsSlice()
				return id
			})))
			start(ctx, l)
			l.Wait(ctx, lab.Patience, func() bool { return len(pulls(l)) > 0 })
			opened := phase1s(l)
			Expect(opened).To(HaveLen(2), "the member begins another Phase 1")
			Expect(pulls(l)[0].initiator).To(Equal(opened[1]), "it does not name the group under the first")
			kit.ExpectRefused(ctx, l.GM[0], "RFC6407-3.1-02", BeNumerically(">", 0))
			kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "it registers once the key server proves its own identity")
		})

	It("tells the key server by a Delete of Phase 1 that the policy is not acceptable", kit.Negative,
		kit.Requirement("RFC6407-3.3-02", "RFC2408-3.15-02"), func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			refuses(ctx, l, espWith("Transform ID 4", func(e *gdoi.SATESP) { e.TransformID = espRC5 }), "RFC2407-4.5.3-01", 1)
			told := messages(l, core.Informational.String(), l.GM[0])
			Expect(told).To(HaveLen(1), "the member tells it once")
			seesDelete(l, told[0])
			Expect(phase1s(l)).To(HaveLen(2), "the next registration has a Phase 1 of its own")
		})

	It("tells the key server by a Delete of Phase 1 that the keys are not acceptable", kit.Negative, kit.Requirement("RFC6407-3.3-02"),
		func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			refuses(ctx, l, tester.OmitKeys(core.Pull4, gdoi.KDTypeKEK), "RFC6407-3.2-18", 2)
			told := messages(l, core.Informational.String(), l.GM[0])
			Expect(told).To(HaveLen(1), "the member tells it once")
			seesDelete(l, told[0])
		})

	It("refuses a policy for flows that it does not let the group protect", kit.Requirement("RFC5374-4.1.3.5-03"), kit.Negative,
		func(ctx SpecContext) {
			l := newLab(ctx, nil, authorising(lab.Protected))
			refuses(ctx, l, espWith("any destination", func(e *gdoi.SATESP) { e.Destination.Data = make([]byte, 8) }), "RFC5374-4.1.3.5-03", 1)
		})

	It("discards of a policy what is for flows that it does not let the group protect", kit.Requirement("RFC5374-4.1.3.5-03"), kit.Negative,
		func(ctx SpecContext) {
			allowed, foreign := lab.HostAddr(2), lab.LANGateway(2)
			l := newLab(ctx, protecting(allowed, foreign), authorising(netip.PrefixFrom(allowed, 32)))
			start(ctx, l)
			for _, to := range []netip.Addr{foreign, allowed} {
				_, err := l.Hosts[0].Ping(ctx, to, lab.Ping{Interval: 20 * time.Millisecond})
				kit.Precondition(err, "the host sends")
			}
			kit.Control(l.Wait(ctx, lab.Patience, func() bool { return len(packetsTo(l, allowed)) > 4 }), "the rest of the policy is in force")
			Expect(packetsTo(l, foreign)).To(BeEmpty(), "the SA for foreign flows is not")
			kit.ExpectRefusalLogged(ctx, l, l.GM[0], "RFC5374-4.1.3.5-03")
		})
})

// seesDelete judges a message that has to be HDR*, HASH(1), D of the Phase 1 SA that it is protected by.
func seesDelete(l *lab.Lab, m capture.Message) {
	GinkgoHelper()
	Expect(kit.Checked(m, "HASH(1)")).To(Equal(capture.OK))
	Expect(kit.Value(m, "D/DOI")).To(Equal("GDOI (2)"))
	Expect(kit.Value(m, "D/Protocol")).To(HaveSuffix("(1)"), "ISAKMP")
	cookies := append(m.Header.InitiatorCookie[:], m.Header.ResponderCookie[:]...)
	Expect(kit.Value(m, "D/SPI")).To(Equal(hex.EncodeToString(cookies)))
	Expect(m.Header.InitiatorCookie).To(Equal(phase1s(l)[0]), "that of the registration that went wrong")
}

// phase1s lists the initiator's cookies of the Main Modes that gm1 has begun, oldest first.
func phase1s(l *lab.Lab) []isakmp.Cookie {
	var opened []isakmp.Cookie
	for _, f := range kit.WANSince(l, 0) {
		data, fromMember := datagramOf(f)
		h, err := isakmp.ParseHeader(data)
		if err != nil || !fromMember || h.Exchange != isakmp.ExchangeMainMode {
			continue
		}
		if n := len(opened); n == 0 || opened[n-1] != h.InitiatorCookie {
			opened = append(opened, h.InitiatorCookie)
		}
	}
	return opened
}

// packetsTo returns the ESP packets from the host to that address.
func packetsTo(l *lab.Lab, to netip.Addr) []kit.ESP {
	var found []kit.ESP
	for _, p := range sent(l, 0) {
		if p.To == to {
			found = append(found, p)
		}
	}
	return found
}

// authorising has the member let the group protect traffic from the lab's networks to that one and no other.
func authorising(to netip.Prefix) func(*policy.Member) {
	return func(c *policy.Member) {
		c.Authorised = policy.Flows(policy.Selector{Source: lab.Protected, Destination: to})
	}
}

// protecting has the group protect the traffic to each of the addresses by an SA of its own.
func protecting(to ...netip.Addr) func(*policy.Group) {
	return func(g *policy.Group) {
		sa := g.SAs[0]
		g.SAs = nil
		for _, address := range to {
			sa.Selector.Destination = netip.PrefixFrom(address, 32)
			g.SAs = append(g.SAs, sa)
		}
	}
}
