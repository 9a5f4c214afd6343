package algorithms

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What Phase 1 can be protected with. MD5 and the first three groups are weak, and off unless a configuration allows them.
var (
	phase1Ciphers = []policy.Proposal{{Encryption: policy.Phase1AES, KeyBits: 128}, {Encryption: policy.Phase1AES, KeyBits: 192},
		{Encryption: policy.Phase1AES, KeyBits: 256}, {Encryption: policy.Phase13DES}}
	phase1Hashes = []policy.Phase1Hash{policy.Phase1MD5, policy.Phase1SHA1, policy.Phase1SHA256, policy.Phase1SHA384, policy.Phase1SHA512}
	phase1Groups = []policy.DHGroup{policy.MODP768, policy.MODP1024, policy.MODP1536, policy.MODP2048, policy.MODP3072, policy.MODP4096,
		policy.ECP256, policy.ECP384, policy.ECP521}
)

// hashOctets are the lengths of digests, and so of SKEYID_e.
var hashOctets = map[policy.Phase1Hash]int{policy.Phase1MD5: 16, policy.Phase1SHA1: 20, policy.Phase1SHA256: 32, policy.Phase1SHA384: 48,
	policy.Phase1SHA512: 64}

var _ = Describe("Suites of Phase 1 (RFC 2409 §4, §5 and appendices A and B)", kit.Subject("algorithms"), kit.DUT(rule.Both), kit.Scene(kit.Phase1), func() {
	for _, p := range everyPhase1() {
		It(fmt.Sprintf("registers, rekeys and carries traffic with Phase 1 under %s", p), kit.Requirement(phase1Requirements(p)...),
			kit.Exhaustive, func(ctx SpecContext) {
				l := carries(ctx, proposing(p))
				Expect(agreedOn(l)).To(ContainElement(p), "the key server and the member agree on it")
				if !slow(p.Group) {
					Expect(agreedOn(l)).To(HaveEach(p), "and the other member")
				}
				Expect(provenIn(l)).To(HaveEach(BeNumerically(">=", len(l.GM))), "every HASH is made with its keys")
			})
	}
})

// everyPhase1 has each combination.
func everyPhase1() []policy.Proposal {
	var all []policy.Proposal
	for _, p := range phase1Ciphers {
		for _, hash := range phase1Hashes {
			for _, group := range phase1Groups {
				p.Hash, p.Group = hash, group
				all = append(all, p)
			}
		}
	}
	return all
}

// phase1Requirements are those that a registration under the suite meets.
func phase1Requirements(p policy.Proposal) []string {
	ids := []string{"RFC2409-4-02", "RFC2409-4-03", "RFC2409-5-05", "RFC2409-5-11"}
	key := p.KeyBits / 8
	if p.Encryption == policy.Phase13DES {
		key = 24
	}
	if key > hashOctets[p.Hash] {
		ids = append(ids, "RFC2409-B-01")
	}
	if p.Hash >= policy.Phase1SHA256 {
		ids = append(ids, "RFC4868-2.4-01")
	}
	return ids
}

// proposing has everybody protect Phase 1 with that suite and no other; with a slow group only the first member, and the key
// server takes what the others are used to as well.
func proposing(p policy.Proposal) lab.Setup {
	only := func(c *policy.Phase1) { c.Proposals, c.AllowWeak = []policy.Proposal{p}, p.Weak() }
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) {
			usual := c.Phase1.Proposals
			if only(&c.Phase1); slow(p.Group) {
				c.Phase1.Proposals = append(c.Phase1.Proposals, usual...)
			}
		},
		Member: func(i int, c *policy.Member) {
			if i == 1 || !slow(p.Group) {
				only(&c.Phase1)
			}
		},
	}
}

// slow reports whether an exponentiation in the group takes several times as long as in the usual one.
func slow(g policy.DHGroup) bool { return g == policy.MODP3072 || g == policy.MODP4096 }

// agreedOn are the suites that the key server chose, in the order of its replies.
func agreedOn(l *lab.Lab) []policy.Proposal {
	GinkgoHelper()
	var agreed []policy.Proposal
	for _, f := range kit.WANSince(l, 0) {
		ip, _ := lab.ParseIPv4(f.Packet)
		from, _, data, ok := ip.UDP()
		h, err := isakmp.ParseHeader(data)
		if !ok || err != nil || from != l.KS.Addr() || h.Exchange != isakmp.ExchangeMainMode || h.NextPayload != isakmp.PayloadSA {
			continue
		}
		sa, err := isakmp.ParseSA(data[isakmp.HeaderLen+isakmp.GenericLen:], 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(sa.Proposals).To(HaveLen(1))
		Expect(sa.Proposals[0].Transforms).To(HaveLen(1))
		agreed = append(agreed, suiteOf(sa.Proposals[0].Transforms[0]))
	}
	return agreed
}

// suiteOf reads a transform.
func suiteOf(t isakmp.Transform) (p policy.Proposal) {
	for _, a := range t.Attributes {
		switch v, _ := a.Uint(); a.Type {
		case isakmp.AttrEncryptionAlgorithm:
			p.Encryption = policy.Phase1Cipher(v)
		case isakmp.AttrKeyLength:
			p.KeyBits = int(v)
		case isakmp.AttrHashAlgorithm:
			p.Hash = policy.Phase1Hash(v)
		case isakmp.AttrGroupDescription:
			p.Group = policy.DHGroup(v)
		}
	}
	return p
}

// provenIn counts the messages of Main Mode and PULL whose HASH is the one that the keys give, by their kind. None may have
// another; copies of a message count again.
func provenIn(l *lab.Lab) map[string]int {
	GinkgoHelper()
	kit.NeedsKeys(l)
	proven := make(map[string]int)
	for _, kind := range []core.Kind{core.MainMode5, core.MainMode6, core.Pull1, core.Pull2, core.Pull3, core.Pull4} {
		proven[kind.String()] = 0
	}
	for _, m := range kit.MessagesSince(l, 0, "") {
		if _, ok := proven[m.Kind]; ok {
			Expect(m.Checks).To(ConsistOf(HaveField("Result", capture.OK)), "%s %s", m.Kind, m.Summary)
			proven[m.Kind]++
		}
	}
	return proven
}
