package ike

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// goodSA is the offer that every case alters.
func goodSA() isakmp.SA {
	c := config(rule.GM, "")
	return c.withDefaults().offerSA()
}

func firstTransform(sa *isakmp.SA) *isakmp.Transform { return &sa.Proposals[0].Transforms[0] }

func without(as []wire.Attribute, typ uint16) []wire.Attribute {
	return slices.DeleteFunc(slices.Clone(as), func(a wire.Attribute) bool { return a.Type == typ })
}

func with(as []wire.Attribute, more ...wire.Attribute) []wire.Attribute {
	return slices.Concat(as, more)
}

func replace(as []wire.Attribute, a wire.Attribute) []wire.Attribute {
	as = slices.Clone(as)
	for i := range as {
		if as[i].Type == a.Type {
			as[i] = a
		}
	}
	return as
}

// main1 is message 1 with these payloads.
func main1(tb testing.TB, ps ...isakmp.Payload) []byte {
	tb.Helper()
	h := isakmp.Header{InitiatorCookie: isakmp.Cookie{1, 2, 3}, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode}
	data, err := isakmp.Assemble(h, ps)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func respond(data []byte, rules *rule.Switches, suites ...Suite) (*Exchange, []Datagram, error) {
	c := config(rule.KS, "respond")
	c.Rules, c.Suites = rules, suites
	return Respond(c, start, gmAddr, data)
}

type offerCase struct {
	name  string
	alter func(*isakmp.SA)
	guard string // that refuses, "" if the offer is accepted
}

var offerCases = []offerCase{
	{"as it should be", func(*isakmp.SA) {}, ""},
	{"DOI 1", func(sa *isakmp.SA) { sa.DOI = 1 }, "ike.offer.doi"},
	{"DOI 0", func(sa *isakmp.SA) { sa.DOI = 0 }, "ike.offer.doi"},
	{"DOI 3", func(sa *isakmp.SA) { sa.DOI = 3 }, "ike.offer.doi"},
	{"situation", func(sa *isakmp.SA) { sa.Situation = 0xffffffff }, "ike.main.sa.situation"},
	{"no proposal", func(sa *isakmp.SA) { sa.Proposals = nil }, "ike.offer.proposal"},
	{"two proposals", func(sa *isakmp.SA) { sa.Proposals = append(sa.Proposals, sa.Proposals[0]) }, "ike.offer.proposal"},
	{"protocol ESP", func(sa *isakmp.SA) { sa.Proposals[0].Protocol = 3 }, "ike.offer.proposal"},
	{"too few transforms announced", func(sa *isakmp.SA) { n := uint8(0); sa.Proposals[0].Count = &n }, "ike.offer.proposal"},
	{"SPI of 8", func(sa *isakmp.SA) { sa.Proposals[0].SPI = make([]byte, 8) }, ""},
	{"SPI of 16", func(sa *isakmp.SA) { sa.Proposals[0].SPI = make([]byte, 16) }, ""},
	{"SPI of 17", func(sa *isakmp.SA) { sa.Proposals[0].SPI = make([]byte, 17) }, "ike.offer.spi"},
	{"proposal reserved", func(sa *isakmp.SA) { sa.Proposals[0].Generic.Reserved = 1 }, "ike.chain.reserved"},
	{"proposal number 0", func(sa *isakmp.SA) { sa.Proposals[0].Number = 0 }, ""},
	{"no transform", func(sa *isakmp.SA) { sa.Proposals[0].Transforms = nil }, "ike.offer.acceptable"},
	{"transform reserved", func(sa *isakmp.SA) { firstTransform(sa).Generic.Reserved = 1 }, "ike.chain.reserved"},
	{"transform reserved 2", func(sa *isakmp.SA) { firstTransform(sa).Reserved2 = 1 }, "ike.transform.reserved2"},
	{"transform number 0", func(sa *isakmp.SA) { firstTransform(sa).Number = 0 }, ""},
	{"transform 2", func(sa *isakmp.SA) { firstTransform(sa).ID = 2 }, "ike.offer.transform"},
	{"cipher missing", dropAttribute(isakmp.AttrEncryptionAlgorithm), "ike.offer.complete"},
	{"hash missing", dropAttribute(isakmp.AttrHashAlgorithm), "ike.offer.complete"},
	{"method missing", dropAttribute(isakmp.AttrAuthenticationMethod), "ike.offer.complete"},
	{"group missing", dropAttribute(isakmp.AttrGroupDescription), "ike.offer.complete"},
	{"key length missing", dropAttribute(isakmp.AttrKeyLength), "ike.offer.keylength"},
	{"key length in octets", setAttribute(wire.TV(isakmp.AttrKeyLength, 16)), "ike.offer.acceptable"},
	{"3DES with a key length", setAttribute(wire.TV(isakmp.AttrEncryptionAlgorithm, 5)), "ike.offer.fixed"},
	{"3DES", tripleDESOffer, "ike.offer.acceptable"},
	{"MD5", setAttribute(wire.TV(isakmp.AttrHashAlgorithm, 1)), "ike.offer.acceptable"},
	{"RSA signatures", setAttribute(wire.TV(isakmp.AttrAuthenticationMethod, 3)), "ike.offer.acceptable"},
	{"group 1", setAttribute(wire.TV(isakmp.AttrGroupDescription, 1)), "ike.offer.acceptable"},
	{"cipher as variable", setAttribute(wire.TLV(isakmp.AttrEncryptionAlgorithm, []byte{0, 7})), "ike.offer.basic"},
	{"group type as well", addAttribute(wire.TV(isakmp.AttrGroupType, 1)), "ike.offer.group"},
	{"prime as well", addAttribute(wire.TLV(isakmp.AttrGroupPrime, []byte{5})), "ike.offer.group"},
	{"PRF", addAttribute(wire.TV(isakmp.AttrPRF, 1)), "ike.offer.acceptable"},
	{"unknown attribute", addAttribute(wire.TV(77, 1)), "ike.offer.acceptable"},
	{"empty attribute", addAttribute(wire.TLV(77, nil)), "ike.offer.acceptable"},
	{"two ciphers", addAttribute(wire.TV(isakmp.AttrEncryptionAlgorithm, 5)), "ike.offer.acceptable"},
	{"the same cipher twice", addAttribute(wire.TV(isakmp.AttrEncryptionAlgorithm, 7)), ""},
	{"lifetime in short form", setAttribute(wire.TV(isakmp.AttrLifeDuration, 28800)), ""},
	{"lifetime of 0 s", setAttribute(wire.TLV32(isakmp.AttrLifeDuration, 0)), "ike.offer.acceptable"},
	{"no lifetime", func(sa *isakmp.SA) {
		dropAttribute(isakmp.AttrLifeType)(sa)
		dropAttribute(isakmp.AttrLifeDuration)(sa)
	}, ""},
	{"duration without type", dropAttribute(isakmp.AttrLifeType), "ike.offer.acceptable"},
	{"kilobytes as well", addAttribute(wire.TV(isakmp.AttrLifeType, 2), wire.TLV32(isakmp.AttrLifeDuration, 1000)), ""},
	{"unknown first", func(sa *isakmp.SA) { precede(sa, func(t *isakmp.Transform) { t.ID = 99 }) }, ""},
	{"weak first", func(sa *isakmp.SA) {
		precede(sa, func(t *isakmp.Transform) { t.Attributes = replace(t.Attributes, wire.TV(isakmp.AttrHashAlgorithm, 1)) })
	}, ""},
}

func dropAttribute(typ uint16) func(*isakmp.SA) {
	return func(sa *isakmp.SA) {
		firstTransform(sa).Attributes = without(firstTransform(sa).Attributes, typ)
	}
}

func setAttribute(a wire.Attribute) func(*isakmp.SA) {
	return func(sa *isakmp.SA) { firstTransform(sa).Attributes = replace(firstTransform(sa).Attributes, a) }
}

func addAttribute(as ...wire.Attribute) func(*isakmp.SA) {
	return func(sa *isakmp.SA) { firstTransform(sa).Attributes = with(firstTransform(sa).Attributes, as...) }
}

// precede puts an altered copy in front of the only transform, which becomes number 2.
func precede(sa *isakmp.SA, alter func(*isakmp.Transform)) {
	other := *firstTransform(sa)
	alter(&other)
	good := *firstTransform(sa)
	good.Number = 2
	sa.Proposals[0].Transforms = []isakmp.Transform{other, good}
}

func TestOffers(t *testing.T) {
	for _, tc := range offerCases {
		t.Run(tc.name, func(t *testing.T) {
			sa := goodSA()
			tc.alter(&sa)
			x, ds, err := respond(main1(t, sa), nil)
			if tc.guard == "" {
				if err != nil {
					t.Fatal(err)
				}
				wantChosen(t, sa, ds)
				return
			}
			wantGuard(t, err, tc.guard)
			if x != nil {
				t.Error("a refused offer leaves an exchange behind")
			}
			wantNoProposal(t, ds, err)
		})
	}
}

// wantChosen wants message 2 with the last transform of the offer, unchanged.
func wantChosen(t *testing.T, offered isakmp.SA, ds []Datagram) {
	t.Helper()
	if len(ds) != 1 || ds[0].Kind != core.MainMode2 {
		t.Fatalf("answer %v", ds)
	}
	h := header(t, ds[0].Data)
	ps, _, err := isakmp.Phase1.Parse(h.NextPayload, ds[0].Data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil || len(ps) != 1 {
		t.Fatalf("%d payloads, %v", len(ps), err)
	}
	reply, ok := ps[0].Payload.(isakmp.SA)
	if !ok || reply.DOI != 2 || reply.Situation != 0 || len(reply.Proposals) != 1 || len(reply.Proposals[0].Transforms) != 1 {
		t.Fatalf("reply %+v", ps[0].Payload)
	}
	want := offered.Proposals[0].Transforms[len(offered.Proposals[0].Transforms)-1]
	got := reply.Proposals[0].Transforms[0]
	if got.Number != want.Number || got.ID != want.ID || !slices.EqualFunc(got.Attributes, want.Attributes, sameAttribute) {
		t.Errorf("chosen %+v\nwant   %+v", got, want)
	}
}

func sameAttribute(a, b wire.Attribute) bool {
	return a.Type == b.Type && a.Basic == b.Basic && slices.Equal(a.Value, b.Value)
}

// wantNoProposal wants NO-PROPOSAL-CHOSEN in clear where no transform was acceptable, and silence elsewhere.
func wantNoProposal(t *testing.T, ds []Datagram, err error) {
	t.Helper()
	var none noProposalError
	if !errors.As(err, &none) {
		if len(ds) > 0 {
			t.Errorf("answered with %v", ds)
		}
		return
	}
	if len(ds) != 1 || ds[0].Kind != core.Informational || ds[0].To != gmAddr {
		t.Fatalf("answer %v", ds)
	}
	h := header(t, ds[0].Data)
	ps, _, err := isakmp.Phase1.Parse(h.NextPayload, ds[0].Data[isakmp.HeaderLen:], isakmp.HeaderLen)
	n, _, ok := isakmp.Find[isakmp.Notify](ps)
	if err != nil || !ok || len(ps) != 1 || n.NotifyType != isakmp.NotifyNoProposalChosen || n.DOI != 2 || len(n.SPI) != 0 {
		t.Errorf("notification %+v, %v", n, err)
	}
	if h.Exchange != isakmp.ExchangeInformational || h.Flags != 0 || h.InitiatorCookie != (isakmp.Cookie{1, 2, 3}) {
		t.Errorf("header %+v", h)
	}
}

var replyCases = []offerCase{
	{"as it should be", func(*isakmp.SA) {}, ""},
	{"DOI 1", func(sa *isakmp.SA) { sa.DOI = 1 }, "ike.reply.doi"},
	{"situation 1", func(sa *isakmp.SA) { sa.Situation = 1 }, "ike.main.sa.situation"},
	{"two proposals", func(sa *isakmp.SA) { sa.Proposals = append(sa.Proposals, sa.Proposals[0]) }, "ike.reply.one"},
	{"transform reserved", func(sa *isakmp.SA) { firstTransform(sa).Generic.Reserved = 1 }, "ike.chain.reserved"},
	{"transform reserved 2", func(sa *isakmp.SA) { firstTransform(sa).Reserved2 = 1 }, "ike.transform.reserved2"},
	{"two transforms", func(sa *isakmp.SA) { precede(sa, func(*isakmp.Transform) {}) }, "ike.reply.one"},
	{"no transform", func(sa *isakmp.SA) { sa.Proposals[0].Transforms = nil }, "ike.reply.one"},
	{"another transform ID", func(sa *isakmp.SA) { firstTransform(sa).ID = 2 }, "ike.reply.unchanged"},
	{"another lifetime", setAttribute(wire.TLV32(isakmp.AttrLifeDuration, 60)), "ike.reply.unchanged"},
	{"another key length", setAttribute(wire.TV(isakmp.AttrKeyLength, 256)), "ike.reply.unchanged"},
	{"one attribute more", addAttribute(wire.TV(isakmp.AttrPRF, 1)), "ike.reply.unchanged"},
	{"one attribute less", dropAttribute(isakmp.AttrKeyLength), "ike.reply.unchanged"},
	{"other order", func(sa *isakmp.SA) { slices.Reverse(firstTransform(sa).Attributes[:5]) }, ""},
	{"other form", setAttribute(wire.TLV(isakmp.AttrLifeDuration, []byte{0, 0, 0, 0, 0, 1, 0x51, 0x80})), ""},
	{"other number", func(sa *isakmp.SA) { firstTransform(sa).Number = 0 }, ""},
	{"with an SPI", func(sa *isakmp.SA) { sa.Proposals[0].SPI = make([]byte, 16) }, ""},
}

func TestReplies(t *testing.T) {
	for _, tc := range replyCases {
		t.Run(tc.name, func(t *testing.T) {
			sa := goodSA()
			c := config(rule.GM, "reply")
			x, _ := Initiate(c, start, ksAddr)
			good := reply(t, x, sa)
			tc.alter(&sa)
			ds, _, err := x.Handle(start, ksAddr, reply(t, x, sa))
			if tc.guard == "" {
				if err != nil || len(ds) != 1 || ds[0].Kind != core.MainMode3 {
					t.Fatalf("answer %v, %v", ds, err)
				}
				return
			}
			wantGuard(t, err, tc.guard)
			if ds, _, err := x.Handle(start, ksAddr, good); err != nil || len(ds) != 1 {
				t.Errorf("the right reply afterwards: %v, %v", ds, err)
			}
		})
	}
}

// reply is message 2 for that initiator.
func reply(tb testing.TB, x *Exchange, ps ...isakmp.Payload) []byte {
	tb.Helper()
	i, _ := x.Cookies()
	h := isakmp.Header{InitiatorCookie: i, ResponderCookie: isakmp.Cookie{9}, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode}
	data, err := isakmp.Assemble(h, ps)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestLongLifetimeDoesNotOverflow(t *testing.T) {
	sa := goodSA()
	setAttribute(wire.TLV(isakmp.AttrLifeDuration, []byte{255, 255, 255, 255, 255, 255, 255, 255}))(&sa)
	c := config(rule.KS, "long")
	c.Lifetime = time.Hour
	if chosen, err := c.withDefaults().choose(sa); err != nil || chosen.lifetime != time.Hour {
		t.Errorf("lifetime %s, %v", chosen.lifetime, err)
	}
}
