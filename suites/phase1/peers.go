package phase1

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

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

var _ = Describe("Who is let in by a key server (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	// knows gives the key server these keys and no other, and a group for whoever has one.
	knows := func(keys ...policy.PSK) func(*policy.KeyServer) {
		return func(c *policy.KeyServer) {
			c.Phase1.PSKs, c.Groups[0].Members = keys, nil
			for _, k := range keys {
				c.Groups[0].Members = append(c.Groups[0].Members, k.Peer)
			}
		}
	}
	first, second := address(1), address(2)
	// shuts has the first member try in vain, and then the second come in.
	shuts := func(ctx SpecContext, setup lab.Setup) *talk {
		setup.Members = 2
		t := prepare(ctx, setup)
		t.start(ctx, t.KS, t.GM[0])
		t.Wait(ctx, 2*time.Second, func() bool { return len(t.sent(t.GM[0])) > 3 })
		t.start(ctx, t.GM[1])
		registered := t.GM[1].AwaitRegistered(ctx)

		Expect(t.decoded(t.KS, core.MainMode6)).NotTo(ContainElement(HaveField("To", t.GM[0].Addr())), "no HASH_R is sent to it")
		Expect(t.GM[0].Registered(ctx)).To(BeFalse())
		kit.Control(registered == nil, "a member with a right key registers")
		return t
	}

	It("lets nobody in whose key is another", kit.Requirement("RFC2409-5.4-01"), kit.Negative, func(ctx SpecContext) {
		shuts(ctx, lab.Setup{KeyServer: knows(policy.PSK{Peer: lab.WAN, Key: right}), Member: keys(own, right)})
	})

	It("lets nobody in for whose address there is no key, not even with an empty one", kit.Requirement("RFC2409-5.4-01"), kit.Negative,
		func(ctx SpecContext) {
			t := shuts(ctx, lab.Setup{KeyServer: knows(policy.PSK{Peer: second, Key: right}), Member: keys([]byte{}, right)})
			kit.ExpectRefused(ctx, t.KS, "RFC2409-5.4-01", BeNumerically(">", 0), "the key server says so")
		})

	It("lets nobody in who has the key of another address", kit.Requirement("RFC2409-5.4-01"), kit.Negative, func(ctx SpecContext) {
		shuts(ctx, lab.Setup{
			KeyServer: knows(policy.PSK{Peer: second, Key: right}, policy.PSK{Peer: first, Key: own}), Member: keys(right, right),
		})
	})

	It("chooses the key by the address, the longest prefix first", kit.Requirement("RFC2409-5.4-01"), func(ctx SpecContext) {
		t := prepare(ctx, lab.Setup{
			Members: 2, KeyServer: knows(policy.PSK{Peer: lab.WAN, Key: right}, policy.PSK{Peer: first, Key: own}), Member: keys(own, right),
		})
		t.start(ctx, t.KS, t.GM[0], t.GM[1])
		Expect(t.GM[0].AwaitRegistered(ctx)).To(Succeed(), "with the key of its address")
		Expect(t.GM[1].AwaitRegistered(ctx)).To(Succeed(), "with the key of everybody else")
	})

	It("takes message 3 only from the address that the exchange began with", kit.Requirement("RFC2408-2.5.3-01"), kit.Negative,
		func(ctx SpecContext) {
			t := prepare(ctx, lab.Setup{Members: 2, Member: fast})
			t.moveKE(t.KS.Addr().Addr())
			t.start(ctx, t.KS, t.GM[0])
			goesOn := t.reaches(ctx, core.MainMode4)
			t.comesOnlyFromOneAddress(ctx)
			kit.Control(goesOn, "message 3 from the right address is answered")
		})

	It("still serves members while strangers begin more exchanges than it keeps", kit.Requirement("RFC2408-2.5.3-01"), kit.Negative,
		func(ctx SpecContext) {
			const kept, strangers = 10, 60
			t := prepare(ctx, lab.Setup{KeyServer: func(c *policy.KeyServer) { c.Phase1.HalfOpen.Total = kept }})
			Expect(t.tester.Misbehave(tester.Withhold(core.MainMode3).Tap)).To(Succeed())
			t.start(ctx, t.KS, t.GM[0])
			kit.Reached(t.reaches(ctx, core.MainMode2), "the key server answers a first message")
			first := t.openings(t.GM[0])[0]
			for i := range strangers {
				data := append([]byte{0xff, byte(i)}, first.data[2:]...)
				from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)}), lab.Port)
				packet, err := lab.UDPPacket(from, t.KS.Addr(), 64, data)
				Expect(err).NotTo(HaveOccurred())
				t.Inject(t.GM[0].Name(), packet)
			}
			fresh := t.afresh(ctx)
			registered := t.GM[0].AwaitRegistered(ctx)
			status, err := t.KS.KSStatus(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(status.HalfOpen).To(BeNumerically("<=", kept), "it keeps no more than it is told to")
			kit.Control(registered == nil, "a member registers all the same, as "+fresh.String())
		})

	It("forgets an exchange that does not go on", kit.Requirement("RFC2408-5.1-03"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{}, tester.Withhold(core.MainMode3))
		kit.Reached(t.reaches(ctx, core.MainMode2), "the key server answers a first message")
		first := t.openings(t.GM[0])[0]
		answers := func() []datagram { return t.answers(first.header.InitiatorCookie, true) }
		t.replay(first)
		t.Pass(ctx, time.Second)
		Expect(answers()).To(HaveLen(1), "while it waits, a copy of message 1 gets the same answer")
		t.Pass(ctx, 5*time.Minute)
		t.replay(first)
		Expect(t.Wait(ctx, time.Second, func() bool { return len(answers()) == 2 })).
			To(BeTrue(), "after five minutes message 1 begins a new exchange")
		Expect(answers()[1].header.ResponderCookie).NotTo(Equal(answers()[0].header.ResponderCookie))
	})
})

var _ = Describe("Whom a group member talks to (RFC 2408 §2.5.3)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	It("begins no PULL with a key server that it is not told of, though it has the right key", kit.Requirement("RFC6407-3.1-01"), kit.Negative,
		func(ctx SpecContext) {
			elsewhere := netip.AddrPortFrom(lab.MemberAddr(3), lab.Port)
			t := prepare(ctx, lab.Setup{Members: 3, Member: func(i int, m *policy.Member) {
				if i == 1 {
					m.KeyServers, m.Phase1.PSKs[0].Peer = []netip.AddrPort{elsewhere}, lab.WAN
				}
			}})
			t.Intercept(func(c *lab.Crossing) { // who asks elsewhere is answered by the key server, from its own address
				ip, _ := lab.ParseIPv4(c.Packet)
				from, to, data, ok := ip.UDP()
				if !ok || to != elsewhere {
					return
				}
				c.Drop = true
				if packet, err := lab.UDPPacket(from, t.KS.Addr(), 64, data); err == nil {
					t.Inject(t.GM[0].Name(), packet)
				}
			})
			t.start(ctx, t.KS, t.GM[0])
			kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.sent(t.KS)) > 0 }), "the other key server answers")
			t.start(ctx, t.GM[1])
			registered := t.GM[1].AwaitRegistered(ctx)
			Expect(t.sent(t.GM[0])).To(HaveEach(WithTransform(func(d datagram) isakmp.ExchangeType { return d.header.Exchange },
				Equal(isakmp.ExchangeMainMode))), "it goes no further than Phase 1")
			kit.Control(registered == nil, "a member that is told of the key server registers")
		})

	for _, c := range []struct {
		says   string
		direct []byte // the key for the key server's own address, beside one for the network that it is in
		wide   []byte
		enters bool
	}{
		{"proves itself with the key for the key server's address, the longest prefix first", right, own, true},
		{"does not prove itself with the key for another address of the network", own, right, false},
	} {
		It(c.says, kit.Requirement("RFC2409-5.4-01"), func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{KeyServer: func(k *policy.KeyServer) { k.Phase1.PSKs[0].Key = right }, Member: func(_ int, m *policy.Member) {
				ks := netip.PrefixFrom(m.KeyServers[0].Addr(), m.KeyServers[0].Addr().BitLen())
				m.Phase1.PSKs = []policy.PSK{{Peer: lab.WAN, Key: c.wide}, {Peer: ks, Key: c.direct}}
			}})
			Expect(t.reaches(ctx, core.MainMode5)).To(BeTrue(), "the member proves itself")
			Expect(t.GM[0].AwaitRegistered(ctx) == nil).To(Equal(c.enters), "it gets in")
		})
	}

	It("takes message 4 only from the address that the exchange began with", kit.Requirement("RFC2408-2.5.3-01"), kit.Negative,
		func(ctx SpecContext) {
			t := prepare(ctx, lab.Setup{Members: 2, Member: fast})
			t.moveKE(t.GM[0].Addr().Addr())
			t.start(ctx, t.KS, t.GM[0])
			goesOn := t.reaches(ctx, core.MainMode5)
			t.comesOnlyFromOneAddress(ctx)
			kit.Control(goesOn, "message 4 from the right address is answered")
		})
})

// Two pre-shared keys: one that is right for most, and one that is the first member's own.
var right, own = []byte("right-for-most"), []byte("the-first-member's-own")

// keys gives the members their pre-shared keys, in their order.
func keys(of ...[]byte) func(int, *policy.Member) {
	return func(i int, c *policy.Member) { c.Phase1.PSKs[0].Key = of[i-1] }
}

// address is that of a member, alone.
func address(i int) netip.Prefix { return netip.PrefixFrom(lab.MemberAddr(i), 32) }

// fast has members repeat their messages after a tenth of a second, if they can be told so.
func fast(i int, c *policy.Member) { kit.Hurry(i, c, 100*time.Millisecond, 0) }

// moveKE has the first message with KE to that address, message 3 or 4, come from the address of the second member.
func (t *talk) moveKE(to netip.Addr) {
	var moved atomic.Bool
	t.Intercept(func(c *lab.Crossing) {
		ip, _ := lab.ParseIPv4(c.Packet)
		from, dest, data, ok := ip.UDP()
		h, err := isakmp.ParseHeader(data)
		if !ok || err != nil || dest.Addr() != to || h.NextPayload != isakmp.PayloadKE || moved.Swap(true) {
			return
		}
		if packet, err := lab.UDPPacket(netip.AddrPortFrom(lab.MemberAddr(2), from.Port()), dest, 64, data); err == nil {
			c.Packet = packet
		}
	})
}

// comesOnlyFromOneAddress proves that the message which came from the second member's address was not taken.
func (t *talk) comesOnlyFromOneAddress(ctx context.Context) {
	GinkgoHelper()
	Expect(t.sentBy(lab.MemberAddr(2))).To(HaveLen(1), "one message came from another address")
	Expect(t.sent(t.device)).NotTo(ContainElement(WithTransform(destination, Equal(lab.MemberAddr(2)))), "the device does not answer it")
	kit.ExpectRefused(ctx, t.device, "RFC2408-2.5.3-01", BeNumerically(">", 0), "the device says that it refused the message")
}

func destination(d datagram) netip.Addr { return d.to.Addr() }
