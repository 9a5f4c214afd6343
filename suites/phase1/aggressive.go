package phase1

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Aggressive Mode with pre-shared keys:
//
//	1  I --> R  HDR, SA, KE, Ni, IDii
//	2  R --> I  HDR, SA, KE, Nr, IDir, HASH_R
//	3  I --> R  HDR[*], HASH_I

// aggressively has the members begin in Aggressive Mode, and the key server answer it.
func aggressively() lab.Setup {
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) { c.Phase1.Mode = policy.EitherMode },
		Member:    func(_ int, c *policy.Member) { c.Phase1.Mode = policy.AggressiveMode },
	}
}

// inClear has them leave message 3 unencrypted.
func inClear(s lab.Setup) lab.Setup {
	mode := s.Member
	s.Member = func(i int, c *policy.Member) {
		mode(i, c)
		c.Phase1.ClearProof = true
	}
	return s
}

// notified is a status notification (RFC 2407 §4.6.3).
var notified = isakmp.Notify{DOI: 2, Protocol: isakmp.ProtoISAKMP, NotifyType: isakmp.NotifyInitialContact}

// brokenAggressive are the wrongs that messages 1 and 2 have in common.
func brokenAggressive(kind core.Kind) []row {
	return []row{
		{"RFC2408-3.1-02", tester.Version(kind, 0x11)},
		{"RFC2408-5.2-03", tester.Version(kind, 0x0f)},
		{"RFC2408-5.2-05", tester.Flags(kind, isakmp.FlagAuthOnly)},
		{"RFC2408-5.2-06", tester.MessageID(kind, 1)},
		{"RFC2408-5.1-01", tester.Length(kind, 1)},
		{"RFC2409-5-04", tester.Before(kind, "a Vendor ID before SA", "RFC 2409 §5", stranger)},
		{"RFC2409-5-04", tester.Omit(kind, isakmp.PayloadSA, "RFC 2409 §5.4")},
		{"RFC2409-5-05", tester.Omit(kind, isakmp.PayloadKE, "RFC 2409 §5.4")},
		{"RFC2409-5-05", tester.PublicValueLength(kind, publicLen-1)},
		{"RFC2409-5-05", tester.PublicValue(kind, "the public value 1", one)},
		{"RFC2409-5-05", tester.PublicValue(kind, "a public value one below the prime, which gives the secret away", belowIt)},
		{"RFC2409-5-06", tester.Omit(kind, isakmp.PayloadNonce, "RFC 2409 §5.4")},
		{"RFC2409-5-06", tester.NonceLength(kind, 7)},
		{"RFC2409-5-06", tester.NonceLength(kind, 257)},
		{"RFC2409-5-07", tester.Repeat(kind, isakmp.PayloadKE, "RFC 2409 §5.4")},
		{"RFC2409-5-07", tester.Repeat(kind, isakmp.PayloadID, "RFC 2409 §5.4")},
		{"RFC2408-5.8-01", tester.Omit(kind, isakmp.PayloadID, "RFC 2409 §5.4")},
		{"RFC2408-5.8-01", tester.Identity(kind, "an identity of type 200", func(id *isakmp.ID) { id.IDType = 200 })},
		{"RFC2407-4.6.2-01", tester.Identity(kind, "TCP and port 22 in its identity", func(id *isakmp.ID) { id.Protocol, id.Port = 6, 22 })},
		{"RFC2408-5.2-02", tester.Behind(kind, "INITIAL-CONTACT, which nothing proves", "RFC 2407 §4.6.3", notified)},
		{"RFC6407-2.1-02", tester.DOI(kind, 1)},
	}
}

// replied has the entry of a wrong DOI be that of the reply.
func replied(rows []row) []row {
	for i := range rows {
		if rows[i].requirement == "RFC6407-2.1-02" {
			rows[i].requirement = "RFC2408-5.4-01"
		}
	}
	return rows
}

var _ = Describe("Aggressive Mode at a key server (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	dropsUnder(aggressively(), "", core.Aggressive1, brokenAggressive(core.Aggressive1))
	dropsUnder(aggressively(), "", core.Aggressive1, []row{
		{"RFC2409-5-15", tester.TwoGroups(core.Aggressive1)},
		{"RFC2409-5.4-01", tester.Identity(core.Aggressive1, "a name that has no pre-shared key", func(id *isakmp.ID) {
			id.IDType, id.Data = isakmp.IDFQDN, []byte("nobody.example")
		})},
		{"RFC2408-5.2-01", tester.SentHeader(core.Aggressive1, "an initiator cookie of zeros", "RFC 2408 §5.2", func(h *isakmp.Header) {
			h.InitiatorCookie = isakmp.Cookie{}
		})},
		{"RFC2408-5.4-02", tester.SetOffered(core.Aggressive1, wire.TV(isakmp.AttrHashAlgorithm, 99))},
	})
	dropsUnder(aggressively(), "", core.Aggressive3, []row{
		{"RFC2408-5.11-01", tester.WrongHash(core.Aggressive3)},
		{"RFC2408-5.11-01", tester.HashLength(core.Aggressive3, 0)},
		{"RFC2408-5.11-01", tester.SwapIdentity(core.Aggressive1)},
		{"RFC2408-5.11-01", tester.FlipOctet(core.Aggressive3, -1)},
		{"RFC2409-5-03", tester.Exchange(core.Aggressive3, isakmp.ExchangeMainMode)},
		{"RFC2408-5.2-06", tester.MessageID(core.Aggressive3, 1)},
		{"RFC2409-B-05", tester.Trailing(core.Aggressive3, "a part of a block behind it", []byte{1, 2, 3, 4})},
		{"RFC2409-5-07", tester.RepeatProof(core.Aggressive3)},
	})
	dropsUnder(inClear(aggressively()), " in clear", core.Aggressive3, []row{
		{"RFC2408-5.11-01", tester.WrongHash(core.Aggressive3)},
		{"RFC2408-5.2-02", tester.Trailing(core.Aggressive3, "octets behind its last payload", []byte{0, 0, 0, 4})},
		{"RFC2408-5.2-02", tester.Behind(core.Aggressive3, "INITIAL-CONTACT, which nothing proves", "RFC 2407 §4.6.3", notified)},
	})
	completes(keyServerSide)

	It("answers no Aggressive Mode unless it is told to", kit.Requirement("RFC2408-5.2-04"), kit.Negative, func(ctx SpecContext) {
		setup := aggressively()
		setup.KeyServer = nil
		t := begin(ctx, setup)
		kit.AwaitRefusal(ctx, t.Lab, t.device, "RFC2408-5.2-04", 0, func() bool { return len(t.messages(t.device)) > 0 })
		Expect(registering(t.messages(t.device))).To(BeEmpty(), "nothing of an exchange comes back")
		kit.ExpectRefused(ctx, t.device, "RFC2408-5.2-04", BeNumerically(">", 0), "the device says that it refused the message")
		kit.Control(t.answersMainMode(ctx), "it answers Main Mode")
	})

	It("chooses the pre-shared key by the identity, whatever the address", kit.Requirement("RFC2409-5.4-02"), func(ctx SpecContext) {
		// The first member is known by a key of its own, and proves to be the second with that of all others.
		setup := aggressively()
		setup.Members = 2
		setup.KeyServer = func(c *policy.KeyServer) {
			c.Phase1.Mode = policy.EitherMode
			c.Phase1.PSKs = []policy.PSK{{Peer: lab.WAN, Key: right}, {Peer: address(1), Key: own}}
			c.Groups[0].Members = []netip.Prefix{lab.WAN}
		}
		setup.Member = func(i int, c *policy.Member) {
			c.Phase1.Mode = policy.AggressiveMode
			c.Phase1.PSKs[0].Key = right
		}
		t := begin(ctx, setup, tester.Identity(core.Aggressive1, "the second member's address", func(id *isakmp.ID) {
			id.Data = lab.MemberAddr(2).AsSlice()
		}))
		Expect(t.reaches(ctx, core.Pull2)).To(BeTrue(), "it is let in under the identity that it proved")
	})
})

var _ = Describe("Aggressive Mode at a group member (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	dropsUnder(aggressively(), "", core.Aggressive2, replied(brokenAggressive(core.Aggressive2)))
	dropsUnder(aggressively(), "", core.Aggressive2, []row{
		{"RFC2408-5.11-01", tester.WrongHash(core.Aggressive2)},
		{"RFC2408-5.11-01", tester.HashLength(core.Aggressive2, 0)},
		{"RFC2408-5.11-01", tester.SwapIdentity(core.Aggressive2)},
		{"RFC2409-5-03", tester.Exchange(core.Aggressive2, isakmp.ExchangeMainMode)},
		{"RFC2409-5-08", tester.RepeatProposal(core.Aggressive2)},
		{"RFC2409-5-10", tester.SetOffered(core.Aggressive2, wire.TV(isakmp.AttrHashAlgorithm, 2))},
		{"RFC2408-5.2-01", tester.SentHeader(core.Aggressive2, "a responder cookie of zeros", "RFC 2408 §5.2", func(h *isakmp.Header) {
			h.ResponderCookie = isakmp.Cookie{}
		})},
	})
	completes(memberSide)

	It("offers only transforms of one group, though it is told several", kit.Requirement("RFC2409-5-15"), func(ctx SpecContext) {
		setup := between(some(usual, large, strong, triple), some(usual))
		ks, gm := setup.KeyServer, setup.Member
		setup.KeyServer = func(c *policy.KeyServer) { ks(c); c.Phase1.Mode = policy.EitherMode }
		setup.Member = func(i int, c *policy.Member) { gm(i, c); c.Phase1.Mode = policy.AggressiveMode }
		t := begin(ctx, setup)
		complete := t.reaches(ctx, core.Aggressive1)
		for _, tr := range transforms(t, t.device) {
			Expect(suiteOf(tr).Group).To(Equal(usual.Group))
		}
		Expect(complete).To(BeTrue(), "the offer is sent")
	})
})

// completes makes the specs of an Aggressive Mode in which everybody is right.
func completes(s side) {
	for _, last := range []struct {
		how   string
		setup lab.Setup
	}{{"encrypted", aggressively()}, {"in clear", inClear(aggressively())}} {
		It(fmt.Sprintf("%s completes Aggressive Mode with message 3 %s, and goes on with the PULL", s.name, last.how),
			kit.Requirement("RFC2409-5-02", "RFC2409-5-11", "RFC2409-5-12", "RFC2409-5-13"), func(ctx SpecContext) {
				t := begin(ctx, last.setup)
				complete := t.reaches(ctx, settled(s))
				for kind, hash := range map[core.Kind]string{core.Aggressive2: "HASH_R", core.Aggressive3: "HASH_I"} {
					ms := kit.MessagesSince(t.Lab, 0, kind.String())
					Expect(ms).NotTo(BeEmpty(), "%s is sent", kind)
					Expect(result(ms[0], hash)).To(Equal(capture.OK), "%s verifies", hash)
				}
				Expect(complete).To(BeTrue(), "the PULL follows")
			})
	}

	for _, a := range signatures {
		It(s.name+" completes Aggressive Mode with signatures of "+a.String(), kit.Requirement("RFC2409-5-02", "RFC2409-5-11"), func(ctx SpecContext) {
			t := begin(ctx, lab.Signing(signedBy(a), aggressively()))
			complete := t.reaches(ctx, settled(s))
			for kind, sig := range map[core.Kind]string{core.Aggressive2: "SIG_R", core.Aggressive3: "SIG_I"} {
				ms := kit.MessagesSince(t.Lab, 0, kind.String())
				Expect(ms).NotTo(BeEmpty(), "%s is sent", kind)
				Expect(result(ms[0], sig)).To(Equal(capture.OK), "%s verifies", sig)
			}
			Expect(complete).To(BeTrue(), "the PULL follows")
		})
	}

	It(s.name+" sends no status notification in Aggressive Mode", kit.Requirement("RFC2407-4.6.3-02"), func(ctx SpecContext) {
		t := begin(ctx, aggressively())
		complete := t.reaches(ctx, settled(s))
		for _, m := range t.decoded(t.device, core.KindUnknown) {
			if m.Header.Exchange == isakmp.ExchangeAggressive {
				Expect(kit.Names(m)).NotTo(ContainElement(isakmp.PayloadN.String()), "%s", m.Kind)
			}
		}
		Expect(complete).To(BeTrue(), "Aggressive Mode is completed")
	})
}

// answersMainMode has the member forget its mode: a first message of Main Mode is made of its last one.
func (t *talk) answersMainMode(ctx SpecContext) bool {
	GinkgoHelper()
	before := len(registering(t.messages(t.device)))
	Expect(t.tester.Misbehave(tester.AsMainMode().Tap)).To(Succeed())
	t.again(ctx)
	return t.Wait(ctx, lab.Patience, func() bool { return len(registering(t.messages(t.device))) > before })
}
