package compat

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The features of a device that has the switches.
const (
	anySituation = "compat:any-situation"
	fromZero     = "compat:transforms-from-zero"
	zeros        = "compat:zero-attributes"
)

// littleEndian is the group 1234 of a daemon that writes its number in its own order of octets.
const littleEndian = 0xd2040000

// situations are what SA payloads of Phase 1 say of the DOI in the field, beside what RFC 6407 §2.1 asks for.
var situations = []struct {
	name           string
	doi, situation uint32
}{
	{"the DOI of GDOI and situation 1", 2, 1},
	{"the DOI of IPsec and situation 1", 1, 1},
	{"the DOI of IPsec and situation 0", 1, 0},
}

// saying has a message of Phase 1 speak of a DOI and a situation.
func saying(kind core.Kind, doi, situation uint32) tester.Deviation {
	return tester.Together(tester.DOI(kind, doi), tester.Situation(kind, situation))
}

// tolerant takes any situation at both ends: the tester too has to go on with what it did not say itself.
func tolerant() lab.Setup {
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) { c.Phase1.AnySituation = true },
		Member:    func(_ int, c *policy.Member) { c.Phase1.AnySituation = true },
	}
}

// strict is the same with devices that have not been told to.
func strict(role rule.Role) lab.Setup {
	s := tolerant()
	if role == rule.KS {
		s.KeyServer = nil
	} else {
		s.Member = nil
	}
	return s
}

// registers has the first member register, the tester's messages deviating, and reports whether it did.
func registers(ctx context.Context, setup lab.Setup, ds ...tester.Deviation) (*lab.Lab, bool) {
	GinkgoHelper()
	l := kit.Lab(ctx, setup)
	other := l.KS
	if l.KS.Device() {
		other = l.GM[0]
	}
	Expect(other.Misbehave(tester.Taps(ds...))).To(Succeed())
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
	return l, l.GM[0].AwaitRegistered(ctx) == nil
}

// message returns the first message of a kind.
func message(l *lab.Lab, kind core.Kind) capture.Message {
	GinkgoHelper()
	ms := kit.MessagesSince(l, 0, kind.String())
	Expect(ms).NotTo(BeEmpty(), "there is a message %s", kind)
	return ms[0]
}

var _ = Describe("A key server for old daemons", kit.Subject("compat"), kit.DUT(rule.KS), func() {
	for _, s := range situations {
		It(fmt.Sprintf("answers an SA of Phase 1 with %s in the same, if it is told to take any", s.name),
			kit.Requirement("RFC2408-5.4-01"), kit.Feature(anySituation), kit.Negative, func(ctx SpecContext) {
				l, ok := registers(ctx, tolerant(), saying(core.MainMode1, s.doi, s.situation))
				kit.Control(ok, "with the switch the member registers")
				reply := message(l, core.MainMode2)
				Expect(kit.Value(reply, "SA/DOI")).To(Equal(kit.Value(message(l, core.MainMode1), "SA/DOI")))
				Expect(kit.Value(reply, "SA/Situation")).To(Equal(fmt.Sprint(s.situation)))
				_, ok = registers(ctx, strict(rule.KS), saying(core.MainMode1, s.doi, s.situation))
				Expect(ok).To(BeFalse(), "without the switch the member does not register")
			})
	}

	It("answers an offer whose transforms are numbered from 0 with the number that it chose", kit.Requirement("RFC2409-5-09"), func(ctx SpecContext) {
		l, ok := registers(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { c.Phase1.TransformsFromZero = true }})
		Expect(ok).To(BeTrue(), "the member registers")
		Expect(kit.Value(message(l, core.MainMode1), "SA/P/T/Number")).To(Equal("0"))
		Expect(kit.Value(message(l, core.MainMode2), "SA/P/T/Number")).To(Equal("0"))
	})

	It("says 0 for an Address Preservation and a direction that an SA has not, if it is told to, and leaves them out otherwise",
		kit.Requirement("RFC6407-5.5.1.1.1-02"), kit.Feature(zeros), func(ctx SpecContext) {
			kit.NeedsKeys(kit.Lab(ctx, lab.Setup{}))
			for _, with := range []bool{true, false} {
				l, ok := registers(ctx, lab.Setup{Group: bare(with), Member: func(_ int, c *policy.Member) { c.ZeroAttributes = true }})
				Expect(ok).To(BeTrue(), "the member registers")
				pull := message(l, core.Pull2)
				for _, attribute := range []string{"Address Preservation", "SA Direction"} {
					_, has := kit.Field(pull, "SA/SAT/"+attribute)
					Expect(has).To(Equal(with), attribute)
				}
			}
		})
})

// bare is a group whose SA says nothing of Address Preservation and direction, or 0.
func bare(zeros bool) func(*policy.Group) {
	return func(g *policy.Group) {
		g.ZeroAttributes = zeros
		g.SAs[0].Transform.Preservation, g.SAs[0].Transform.Direction = policy.PreserveAbsent, policy.DirectionAbsent
	}
}

var _ = Describe("A member for old daemons", kit.Subject("compat"), kit.DUT(rule.GM), func() {
	for _, s := range situations {
		It(fmt.Sprintf("goes on after a reply in Phase 1 with %s, if it is told to take any", s.name),
			kit.Requirement("RFC2408-5.4-01"), kit.Feature(anySituation), kit.Negative, func(ctx SpecContext) {
				_, ok := registers(ctx, tolerant(), saying(core.MainMode2, s.doi, s.situation))
				kit.Control(ok, "with the switch the member registers")
				_, ok = registers(ctx, strict(rule.GM), saying(core.MainMode2, s.doi, s.situation))
				Expect(ok).To(BeFalse(), "without the switch the member does not register")
			})
	}

	It("numbers its transforms from 0, if it is told to, and from 1 otherwise", kit.Requirement("RFC2408-3.6-01"), kit.Feature(fromZero), func(ctx SpecContext) {
		for _, first := range []string{"0", "1"} {
			l, ok := registers(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { c.Phase1.TransformsFromZero = first == "0" }})
			Expect(ok).To(BeTrue(), "the member registers")
			Expect(kit.Value(message(l, core.MainMode1), "SA/P/T/Number")).To(Equal(first))
		}
	})

	It("takes 0 as Address Preservation and as direction for none, if it is told to, and refuses it otherwise",
		kit.Requirement("RFC6407-5.5.1.1.1-02"), kit.Feature(zeros), kit.Negative, func(ctx SpecContext) {
			setup := lab.Setup{Group: bare(true), Member: func(_ int, c *policy.Member) { c.ZeroAttributes = true }}
			_, ok := registers(ctx, setup)
			kit.Control(ok, "with the switch the member registers")
			setup.Member = nil
			_, ok = registers(ctx, setup)
			Expect(ok).To(BeFalse(), "without the switch the member does not register")
		})

	It("names its group by the four octets that it is told, in their order", kit.Requirement("RFC6407-5.1-02", "RFC6407-5.1-03"), func(ctx SpecContext) {
		l, ok := registers(ctx, lab.Setup{
			Group:  func(g *policy.Group) { g.ID = littleEndian },
			Member: func(_ int, c *policy.Member) { c.Group = littleEndian },
		})
		Expect(ok).To(BeTrue(), "the member registers")
		Expect(kit.Value(message(l, core.Pull1), "ID/Data")).To(Equal("d2040000"))
	})
})

var _ = Describe("Old daemons at both ends", kit.Subject("compat"), kit.DUT(rule.Both), func() {
	for _, cipher := range []policy.Cipher{policy.Cipher3DES, policy.CipherAESCBC} {
		name := map[policy.Cipher]string{policy.Cipher3DES: "3DES", policy.CipherAESCBC: "AES-128"}[cipher]
		It("register, rekey and carry traffic with every switch on, under "+name+", SHA-1 and MODP 1024", kit.Requirement("RFC6407-4-06"),
			kit.Feature(anySituation, fromZero, zeros), func(ctx SpecContext) {
				l := kit.Up(ctx, legacy(cipher))
				Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "answers before the rekey")
				next := kit.Rekey(ctx, l, control.RekeyArgs{})
				for i := range l.GM {
					Expect(kit.SwitchesTo(ctx, l, i+1, 2-i, next.SPIs[0])).To(BeTrue(), "member %d follows the rekey", i+1)
				}
				Expect(kit.Ping(ctx, l, 2, 1, 2).Received).To(Equal(2), "answers after the rekey")
			})
	}
})

// legacy is a network of daemons of about 2004.
func legacy(cipher policy.Cipher) lab.Setup {
	old := func(p *policy.Phase1) {
		proposal := policy.Proposal{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.MODP1024}
		if cipher == policy.CipherAESCBC {
			proposal.Encryption, proposal.KeyBits = policy.Phase1AES, 128
		}
		p.Proposals, p.AllowWeak, p.AnySituation, p.TransformsFromZero = []policy.Proposal{proposal}, true, true, true
	}
	return lab.Setup{
		Members: 2, Hosts: true, Signature: policy.SigRSA,
		KeyServer: func(c *policy.KeyServer) { old(&c.Phase1) },
		Group: func(g *policy.Group) {
			bare(true)(g)
			t := policy.Transform{Cipher: cipher, Integrity: policy.IntegrityHMACSHA1, Mode: policy.ModeTunnel}
			kek := policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}
			if cipher == policy.CipherAESCBC {
				t.KeyBits = 128
				kek = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 128}
			}
			g.ID, g.SAs[0].Transform = littleEndian, t
			g.Rekey.KEK, g.Rekey.SigHash, g.Rekey.SigForm = kek, policy.SigHashSHA1, policy.SigBareHash
		},
		Member: func(_ int, c *policy.Member) {
			old(&c.Phase1)
			c.Group, c.ZeroAttributes = littleEndian, true
			c.Rekey = policy.MemberRekey{AcceptSHA1: true, SignatureForm: policy.SigBareHash}
		},
	}
}
