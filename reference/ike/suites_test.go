package ike

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Suites that differ in every part, with blocks of 8 and 16 octets, keys that are expanded and groups of both kinds.
var (
	suiteAES = defaultSuites[0]
	suite3   = suiteOf(policy.Phase13DES, 0, policy.Phase1SHA1, policy.ECP256)
	suite256 = suiteOf(policy.Phase1AES, 256, policy.Phase1MD5, policy.ECP384)
	suite192 = suiteOf(policy.Phase1AES, 192, policy.Phase1SHA512, policy.MODP1536)
)

func suiteOf(cipher policy.Phase1Cipher, bits int, hash policy.Phase1Hash, group policy.DHGroup) Suite {
	return Suites([]policy.Proposal{{Encryption: cipher, KeyBits: bits, Hash: hash, Group: group}})[0]
}

// pairOf is a pair in which both sides have these suites.
func pairOf(seed string, suites ...Suite) *pair {
	p := newPair(seed)
	p.gm.Suites, p.ks.Suites = suites, suites
	return p
}

// tried are suites in which every cipher meets every hash and every group is there.
func tried() []Suite {
	var all []Suite
	for _, bits := range []int{128, 192, 256, 0} {
		cipher := policy.Phase1AES
		if bits == 0 {
			cipher = policy.Phase13DES
		}
		for _, hash := range []policy.Phase1Hash{policy.Phase1MD5, policy.Phase1SHA1, policy.Phase1SHA256, policy.Phase1SHA384, policy.Phase1SHA512} {
			all = append(all, suiteOf(cipher, bits, hash, policy.ECP256))
		}
	}
	for _, group := range []policy.DHGroup{policy.MODP768, policy.MODP1024, policy.MODP1536, policy.MODP2048, policy.MODP3072,
		policy.MODP4096, policy.ECP384, policy.ECP521} {
		all = append(all, suiteOf(policy.Phase13DES, 0, policy.Phase1SHA1, group))
	}
	return all
}

// Every algorithm establishes an SA, under which messages pass in both directions.
func TestEverySuite(t *testing.T) {
	for _, s := range tried() {
		t.Run(fmt.Sprintf("%v-%d %s group %d", s.Cipher(), s.KeyBits, s.Hash, s.Group), func(t *testing.T) {
			p := pairOf("suites", s)
			p.run()
			p.wantSA(t)
			if p.iSA.Suite() != s || p.rSA.Suite() != s || len(p.refused) > 0 {
				t.Errorf("suites %+v and %+v, refused %v", p.iSA.Suite(), p.rSA.Suite(), p.refused)
			}
			wantSizes(t, s, p)
			gm, ks := p.iSA.NewStream(isakmp.ExchangePull, 7), p.rSA.NewStream(isakmp.ExchangePull, 7)
			for from, to := range map[*Stream]*Stream{gm: ks} {
				for range 2 {
					d, err := from.Seal(core.Pull1, pullHash(from.sa), nonceOf("there and back"))
					if err != nil {
						t.Fatal(err)
					}
					o, err := to.Open(d.Data, isakmp.Phase1)
					if err != nil || !bytes.Equal(o.Hash, pullHash(to.sa)([4]byte{0, 0, 0, 7}, o.After)) {
						t.Fatalf("the message is not what was sent: %v", err)
					}
					o.Commit()
					from, to = to, from
				}
			}
		})
	}
}

// wantSizes wants key, IVs and values of the lengths that the suite gives them.
func wantSizes(t *testing.T, s Suite, p *pair) {
	t.Helper()
	bits, secret, block := int(s.KeyBits), p.iSA.Secret(), s.Cipher().BlockSize()
	if bits == 0 {
		bits = tripleDESBits
	}
	group, _ := keymat.DHGroup(s.Group)
	if len(secret.CipherKey) != bits/8 || len(secret.FirstIV) != block || len(p.iSA.lastBlock) != block {
		t.Errorf("a key of %d octets, IVs of %d and %d", len(secret.CipherKey), len(secret.FirstIV), len(p.iSA.lastBlock))
	}
	if len(secret.SKEYID) != s.Hash.Size() || len(secret.Shared) != group.SharedLen() {
		t.Errorf("SKEYID of %d octets, g^xy of %d", len(secret.SKEYID), len(secret.Shared))
	}
	for n := 4; n <= 5; n++ {
		if over := (len(p.octets(n)) - isakmp.HeaderLen) % block; over != 0 {
			t.Errorf("message %d ends %d octets behind its last block", n+1, over)
		}
	}
}

// Keys of ciphers and hashes whose SKEYID_e is too short are expanded (RFC 2409 appendix B); with SKEYID_e itself cut or
// padded the other side would read nothing.
func TestExpandedKeys(t *testing.T) {
	for _, s := range tried() {
		p := pairOf("expanded", s)
		p.run()
		secret := p.iSA.Secret()
		want := secret.SKEYIDe[:min(len(secret.CipherKey), len(secret.SKEYIDe))]
		if expanded := len(secret.CipherKey) > len(secret.SKEYIDe); bytes.HasPrefix(secret.CipherKey, want) == expanded {
			t.Errorf("%+v: key %x of SKEYID_e %x", s, secret.CipherKey, secret.SKEYIDe)
		}
	}
}

func TestOfferOfSeveralSuites(t *testing.T) {
	c := config(rule.GM, "several")
	c.Suites = []Suite{suite3, suiteAES, suite256}
	ts := c.withDefaults().offerSA().Proposals[0].Transforms
	if len(ts) != 3 {
		t.Fatalf("%d transforms", len(ts))
	}
	for i, want := range []map[uint16]uint64{
		{isakmp.AttrEncryptionAlgorithm: 5, isakmp.AttrHashAlgorithm: 2, isakmp.AttrGroupDescription: 19},
		{isakmp.AttrEncryptionAlgorithm: 7, isakmp.AttrHashAlgorithm: 4, isakmp.AttrGroupDescription: 14, isakmp.AttrKeyLength: 128},
		{isakmp.AttrEncryptionAlgorithm: 7, isakmp.AttrHashAlgorithm: 1, isakmp.AttrGroupDescription: 20, isakmp.AttrKeyLength: 256},
	} {
		got := make(map[uint16]uint64)
		for _, a := range ts[i].Attributes {
			switch a.Type {
			case isakmp.AttrAuthenticationMethod, isakmp.AttrLifeType, isakmp.AttrLifeDuration:
			default:
				got[a.Type], _ = a.Uint()
			}
		}
		if int(ts[i].Number) != i+1 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("transform %d is number %d with %v, want %v", i+1, ts[i].Number, got, want)
		}
	}
}

// The responder takes the first transform of the offer that it can, whatever the order of its own suites.
func TestTheInitiatorsOrderDecides(t *testing.T) {
	for _, tc := range []struct{ offered, known, want []Suite }{
		{[]Suite{suite3, suiteAES}, []Suite{suiteAES, suite3}, []Suite{suite3}},
		{[]Suite{suiteAES, suite3}, []Suite{suite3, suiteAES}, []Suite{suiteAES}},
		{[]Suite{suite256, suite192, suite3}, []Suite{suiteAES, suite3, suite192}, []Suite{suite192}},
		{[]Suite{suite256, suite192}, []Suite{suiteAES, suite3}, nil},
	} {
		p := newPair("order")
		p.gm.Suites, p.ks.Suites = tc.offered, tc.known
		p.run()
		if tc.want == nil {
			wantGuard(t, p.refused[0], "ike.offer.acceptable")
			continue
		}
		p.wantSA(t)
		if p.iSA.Suite() != tc.want[0] || p.rSA.Suite() != tc.want[0] {
			t.Errorf("chosen %+v and %+v, want %+v", p.iSA.Suite(), p.rSA.Suite(), tc.want[0])
		}
	}
}

// mixed has the attributes of two transforms of one offer, together in none.
func mixed(sa *isakmp.SA, attribute uint16) {
	ts := sa.Proposals[0].Transforms
	for _, a := range ts[1].Attributes {
		if a.Type == attribute {
			ts[0].Attributes = replace(ts[0].Attributes, a)
		}
	}
	sa.Proposals[0].Transforms = ts[:1]
}

func TestReplyOfMixedTransforms(t *testing.T) {
	for _, attribute := range []uint16{isakmp.AttrHashAlgorithm, isakmp.AttrGroupDescription, isakmp.AttrEncryptionAlgorithm} {
		c := config(rule.GM, "mixed")
		c.Suites = []Suite{suiteAES, suite3}
		x, _ := Initiate(c, start, ksAddr)
		sa := c.withDefaults().offerSA()
		mixed(&sa, attribute)
		_, _, err := x.Handle(start, ksAddr, reply(t, x, sa))
		wantGuard(t, err, "ike.reply.unchanged")
	}
}

// severalOffers are offers to a responder that has every suite of this file.
var severalOffers = []offerCase{
	{"3DES", tripleDESOffer, ""},
	{"3DES with its key length", setKeyLength(tripleDESBits), "ike.offer.fixed"},
	{"3DES with the key length of AES", setKeyLength(128), "ike.offer.fixed"},
	{"3DES with a key length of zero", setKeyLength(0), "ike.offer.fixed"},
	{"AES without key length", dropAttribute(isakmp.AttrKeyLength), "ike.offer.keylength"},
	{"AES with 160 bits", setAttribute(wire.TV(isakmp.AttrKeyLength, 160)), "ike.offer.acceptable"},
	{"AES with the bits of another suite", setAttribute(wire.TV(isakmp.AttrKeyLength, 256)), "ike.offer.acceptable"},
	{"the hash of another suite", setAttribute(wire.TV(isakmp.AttrHashAlgorithm, 2)), "ike.offer.acceptable"},
	{"the group of another suite", setAttribute(wire.TV(isakmp.AttrGroupDescription, 19)), "ike.offer.acceptable"},
}

// tripleDESOffer changes the offer to suite3.
func tripleDESOffer(sa *isakmp.SA) {
	t := firstTransform(sa)
	t.Attributes = without(t.Attributes, isakmp.AttrKeyLength)
	for _, a := range suite3.attributes(DefaultLifetime) {
		t.Attributes = replace(t.Attributes, a)
	}
}

// setKeyLength offers suite3 with a Key Length.
func setKeyLength(bits uint16) func(*isakmp.SA) {
	return func(sa *isakmp.SA) {
		tripleDESOffer(sa)
		addAttribute(wire.TV(isakmp.AttrKeyLength, bits))(sa)
	}
}

func TestOffersToSeveralSuites(t *testing.T) {
	for _, tc := range severalOffers {
		sa := goodSA()
		tc.alter(&sa)
		_, ds, err := respond(main1(t, sa), nil, suiteAES, suite3, suite256, suite192)
		if tc.guard == "" && err == nil {
			wantChosen(t, sa, ds)
			continue
		}
		wantGuard(t, err, tc.guard)
		wantNoProposal(t, ds, err)
	}
}

// Public values that no group may take, in messages 3 and 4.
func TestPublicValuesOfEveryGroup(t *testing.T) {
	for _, s := range tried()[19:] { // one of each group
		for n := 2; n <= 3; n++ {
			p := pairOf("values", s).at(t, n)
			h, ps := parse(t, p.queue[0].data)
			ke := ps[0].(isakmp.KE)
			try := func(what string, data []byte, guard string) {
				t.Helper()
				err := p.try(assemble(t, h, isakmp.KE{Data: data}, ps[1]))
				if err == nil {
					t.Errorf("group %d, message %d: %s is taken", s.Group, n+1, what)
					return
				}
				wantGuard(t, err, guard)
			}
			size := len(ke.Data)
			try("one octet less", ke.Data[1:], "ike.main.ke.length")
			try("one octet more", append([]byte{0}, ke.Data...), "ike.main.ke.length")
			try("half", ke.Data[:size/2], "ike.main.ke.length")
			try("zeros", make([]byte, size), "ike.main.ke.value")
			try("ones", bytes.Repeat([]byte{0xff}, size), "ike.main.ke.value")
			if g, _ := keymat.DHGroup(s.Group); g.SharedLen() < g.PublicLen() {
				off := slices.Clone(ke.Data)
				off[size-1] ^= 1
				try("a point beside the curve", off, "ike.main.ke.value")
			}
		}
	}
}

// The bad messages 5 and 6 of other tests, with blocks of 8 octets.
func TestAuthenticationUnder3DES(t *testing.T) {
	for n := 4; n <= 5; n++ {
		p := pairOf("3des", suite3).at(t, n)
		for _, tc := range append(p.authCases(t), p.identityCases(t)...) {
			if err := p.try(tc.data); tc.guard != "" {
				wantGuard(t, err, tc.guard)
			} else if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
		p.drain()
		p.wantSA(t)
	}
}
