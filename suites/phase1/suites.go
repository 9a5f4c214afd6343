package phase1

import (
	"bytes"
	"fmt"
	"slices"

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

// Suites of algorithms that have nothing in common.
var (
	usual  = policy.DefaultProposal
	triple = policy.Proposal{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.ECP256}
	strong = policy.Proposal{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA384, Group: policy.ECP384}
	large  = policy.Proposal{Encryption: policy.Phase1AES, KeyBits: 192, Hash: policy.Phase1SHA512, Group: policy.MODP3072}
)

// under has the key server and the members protect Phase 1 with these suites.
func under(ps ...policy.Proposal) lab.Setup { return between(ps, ps) }

// between has the members offer some suites and the key server allow others.
func between(offered, allowed []policy.Proposal) lab.Setup {
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) { propose(&c.Phase1, allowed) },
		Member:    func(_ int, c *policy.Member) { propose(&c.Phase1, offered) },
	}
}

func propose(p *policy.Phase1, suites []policy.Proposal) {
	p.Proposals, p.AllowWeak = suites, slices.ContainsFunc(suites, policy.Proposal.Weak)
}

func some(ps ...policy.Proposal) []policy.Proposal { return ps }

// group is a Diffie-Hellman group and the length of its public values.
type group struct {
	policy.DHGroup
	octets int
	curve  bool
}

var groups = []group{
	{policy.MODP768, 96, false}, {policy.MODP1024, 128, false}, {policy.MODP1536, 192, false},
	{policy.MODP2048, 256, false}, {policy.MODP3072, 384, false}, {policy.MODP4096, 512, false},
	{policy.ECP256, 64, true}, {policy.ECP384, 96, true}, {policy.ECP521, 132, true},
}

// proposal is the usual one in this group.
func (g group) proposal() policy.Proposal {
	p := usual
	p.Group = g.DHGroup
	return p
}

func groupOf(p policy.Proposal) group {
	return groups[slices.IndexFunc(groups, func(g group) bool { return g.DHGroup == p.Group })]
}

// brokenValues are the public values that messages 3 and 4 must not have in a group.
func (g group) brokenValues(kind core.Kind) []row {
	rows := []row{
		{"RFC2409-5-05", tester.PublicValueLength(kind, g.octets-1)},
		{"RFC2409-5-05", tester.PublicValueLength(kind, g.octets+1)},
		{"RFC2409-5-05", tester.PublicValue(kind, "a public value of zeros", make([]byte, g.octets))},
		{"RFC2409-5-05", tester.PublicValue(kind, "a public value of ones", bytes.Repeat([]byte{0xff}, g.octets))},
	}
	if g.curve {
		rows = append(rows, row{"RFC2409-5-05", tester.PublicValueLength(kind, g.octets/2)})
	}
	return rows
}

// dropsValues makes a spec of each public value that is none, in every group.
func dropsValues(kind core.Kind) {
	for _, g := range groups {
		var labels []Labels
		if g.DHGroup != policy.ECP256 {
			labels = append(labels, kit.Exhaustive)
		}
		dropsUnder(under(g.proposal()), " in group "+g.String(), kind, g.brokenValues(kind), labels...)
		if g.curve {
			dropsUnder(under(g.proposal()), " in group "+g.String(), kind, []row{{"RFC2409-5-05", tester.OffCurve(kind)}},
				append(labels, kit.Requirement("RFC5903-7-01"))...)
		}
	}
}

// expanding are suites whose SKEYID_e is shorter than the cipher's key.
var expanding = []policy.Proposal{
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA1, Group: policy.MODP2048},
	{Encryption: policy.Phase1AES, KeyBits: 192, Hash: policy.Phase1MD5, Group: policy.ECP256},
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1MD5, Group: policy.ECP521},
	{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.ECP256},
	{Encryption: policy.Phase13DES, Hash: policy.Phase1MD5, Group: policy.MODP1024},
}

// expands makes a spec of each of them.
func expands(s side) {
	for _, p := range expanding {
		It(s.name+" expands a short SKEYID_e to the key of its cipher under "+p.String(), kit.Requirement("RFC2409-B-01", "RFC2409-5-11", "RFC2409-4-03"),
			func(ctx SpecContext) {
				t := begin(ctx, under(p))
				complete := t.reaches(ctx, settled(s))
				proves(t, s)
				Expect(complete).To(BeTrue(), "the exchange goes on to the PULL")
			})
	}
}

// hashes are those whose HMAC is a PRF of its whole length, and that length in octets.
var hashes = []struct {
	policy.Phase1Hash
	octets int
}{{policy.Phase1SHA256, 32}, {policy.Phase1SHA384, 48}, {policy.Phase1SHA512, 64}}

// keyed makes a spec of each of these PRFs with pre-shared keys shorter and longer than its digest and its block.
func keyed(s side) {
	for _, hash := range hashes {
		for _, n := range []int{1, 32, 64, 200} {
			It(fmt.Sprintf("%s proves its identity by the whole HMAC of %s, with a pre-shared key of %d octets", s.name, hash, n),
				kit.Requirement("RFC4868-2.4-01", "RFC2409-4-03"), func(ctx SpecContext) {
					p := usual
					p.Hash, p.Group = hash.Phase1Hash, policy.ECP256
					t := begin(ctx, sharing(under(p), bytes.Repeat([]byte{0x6b}, n)))
					complete := t.reaches(ctx, settled(s))
					proves(t, s)
					f, _ := field(proof(t, s).Payloads, isakmp.PayloadHASH.String())
					Expect(f.Length).To(Equal(isakmp.GenericLen+hash.octets), "the HASH is not cut short")
					Expect(complete).To(BeTrue(), "the exchange goes on to the PULL")
				})
		}
	}
}

// sharing has everybody know that pre-shared key.
func sharing(setup lab.Setup, key []byte) lab.Setup {
	keyServer, member := setup.KeyServer, setup.Member
	setup.KeyServer = func(c *policy.KeyServer) { keyServer(c); c.Phase1.PSKs[0].Key = key }
	setup.Member = func(i int, c *policy.Member) { member(i, c); c.Phase1.PSKs[0].Key = key }
	return setup
}

// transforms are those of the SA payload of the first message that a peer sent.
func transforms(t *talk, p *lab.Peer) []isakmp.Transform {
	GinkgoHelper()
	ms := t.messages(p)
	Expect(ms).NotTo(BeEmpty(), "%s sends its first message", p.Name())
	sa := phase1SA(ms[0])
	Expect(sa.Proposals).To(HaveLen(1))
	return sa.Proposals[0].Transforms
}

// asks reports what a transform asks for in an attribute, 0 if it does not have it.
func asks(tr isakmp.Transform, attribute uint16) uint64 {
	for _, a := range tr.Attributes {
		if a.Type == attribute {
			v, _ := a.Uint()
			return v
		}
	}
	return 0
}

// suiteOf reads a transform.
func suiteOf(tr isakmp.Transform) policy.Proposal {
	return policy.Proposal{
		Encryption: policy.Phase1Cipher(asks(tr, isakmp.AttrEncryptionAlgorithm)), KeyBits: int(asks(tr, isakmp.AttrKeyLength)),
		Hash: policy.Phase1Hash(asks(tr, isakmp.AttrHashAlgorithm)), Group: policy.DHGroup(asks(tr, isakmp.AttrGroupDescription)),
	}
}

// agrees wants the device to have gone through Phase 1 and the PULL under one of these suites: the reply names it, the public
// value of the device is of its group, and the HASH of the device proves its keys.
func agrees(ctx SpecContext, t *talk, s side, suites ...policy.Proposal) {
	GinkgoHelper()
	complete := t.reaches(ctx, settled(s))
	replied := transforms(t, t.KS)
	Expect(replied).To(HaveLen(1), "one transform is chosen")
	agreed := suiteOf(replied[0])
	Expect(suites).To(ContainElement(agreed), "%s is agreed on", agreed)
	exchanges := t.decoded(t.device, exchanging(s))
	Expect(exchanges).NotTo(BeEmpty(), "%s is sent", exchanging(s))
	ke, _ := field(exchanges[0].Payloads, isakmp.PayloadKE.String())
	Expect(ke.Length).To(Equal(isakmp.GenericLen+groupOf(agreed).octets), "the public value is of %s", agreed.Group)
	proves(t, s)
	Expect(complete).To(BeTrue(), "the exchange goes on to the PULL")
}

var _ = Describe("Public values of every group (RFC 2409 §5, RFC 3526, RFC 5903)", kit.Subject("phase1"), func() {
	Context("at a key server", kit.DUT(rule.KS), func() { dropsValues(core.MainMode3) })
	Context("at a group member", kit.DUT(rule.GM), func() { dropsValues(core.MainMode4) })
})

var _ = Describe("Pseudorandom functions (RFC 2409 §4, RFC 4868 §2.4)", kit.Subject("phase1"), func() {
	Context("at a key server", kit.DUT(rule.KS), func() { keyed(keyServerSide) })
	Context("at a group member", kit.DUT(rule.GM), func() { keyed(memberSide) })
})

var _ = Describe("Keys of a short SKEYID_e (RFC 2409 appendix B)", kit.Subject("phase1"), func() {
	Context("at a key server", kit.DUT(rule.KS), func() { expands(keyServerSide) })
	Context("at a group member", kit.DUT(rule.GM), func() { expands(memberSide) })
})
