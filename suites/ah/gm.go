package ah

import (
	"bytes"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// wrong is a packet of AH that a member has to drop.
type wrong struct {
	sentence    string
	requirement string // what the device refuses it for, then what else the spec tests, with spaces between
	packet      func(s *scene, inner []byte) []byte
}

// flipped is a right packet with an octet changed.
func flipped(at int) func(*scene, []byte) []byte {
	return func(s *scene, inner []byte) []byte {
		b := s.keys.Packet(inner)
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 1
		return checksummed(b)
	}
}

// checksummed is a packet whose IP header has a right checksum again.
func checksummed(b []byte) []byte {
	ip, _ := lab.ParseIPv4(b)
	return ip.Bytes()
}

const headers = 20 // octets of the outer IP header

var _ = Describe("AH at a member (RFC 4302)", kit.Subject("ah"), kit.DUT(rule.GM), func() {
	for _, w := range []wrong{
		{"whose payload was changed", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(-1)},
		{"whose ICV was changed", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(headers + 12)},
		{"whose sequence number was changed", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(headers + 10)},
		{"whose Next Header was changed", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(headers)},
		{"whose RESERVED field was changed", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(headers + 3)},
		{"whose Identification was changed on the way", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(5)},
		{"whose outer source was changed on the way", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(15)},
		{"whose outer destination was changed on the way", "RFC4302-3.4.4-01 RFC4302-3.3.3-01", flipped(19)},
		{"of an SPI that it has no SA for", "RFC4303-3.4.2-01 RFC4302-2.4-01", func(s *scene, inner []byte) []byte {
			return s.keys.Packet(inner, tester.AHUnder(s.keys.SPI+1))
		}},
		{"with sequence number 0", "RFC4303-3.4.3-04 RFC4302-3.4.3-01", func(s *scene, inner []byte) []byte { return s.keys.Packet(inner, tester.AHSequence(0)) }},
	} {
		ids := strings.Fields(w.requirement)
		It("drops a packet of AH "+w.sentence, kit.Requirement(ids...), kit.Negative, func(ctx SpecContext) {
			s := device(ctx)
			bad, good := s.inward(), s.inward()
			Expect(s.arrives(bad, w.packet(s, bad.Bytes()))).To(BeFalse(), "it does not reach the host")
			kit.ExpectRefused(ctx, s.GM[0], rule.ID(ids[0]), BeNumerically(">", 0))
			kit.Control(s.arrives(good, s.keys.Packet(good.Bytes())), "a right packet does")
		})
	}

	It("takes no packet of AH twice", kit.Requirement("RFC4303-3.4.3-04", "RFC4302-3.4.3-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx)
		inner := s.inward()
		packet := s.keys.Packet(inner.Bytes())
		kit.Control(s.arrives(inner, packet), "it is taken once")
		Expect(s.arrives(inner, packet)).To(BeFalse(), "and not again")
		kit.ExpectRefused(ctx, s.GM[0], "RFC4303-3.4.3-04", BeNumerically(">", 0))
	})

	It("takes a packet of AH whose outer header was changed where routers may", kit.Requirement("RFC4302-3.3.3.1-01"), func(ctx SpecContext) {
		s := device(ctx)
		inner := s.inward()
		b := s.keys.Packet(inner.Bytes())
		b[1], b[8] = b[1]^0xff&^3, b[8]-9 // DSCP and TTL
		b[6] ^= 0x40                      // DF
		Expect(s.arrives(inner, checksummed(b))).To(BeTrue())
	})

	It("takes a packet of AH in IPv6 whose traffic class, flow label and hop limit were changed", kit.Requirement("RFC4302-3.3.3.1-01"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, way{mode: policy.ModeTunnel, keep: policy.PreserveBoth, ipv6: true}.setup(sha256))
			delivered := func(since kit.Mark) bool {
				return l.Wait(ctx, lab.Patience, func() bool {
					return slices.ContainsFunc(l.Frames()[since:], func(f capture.Frame) bool {
						p, ok := lab.Parse(f.Packet)
						return ok && f.Link == lab.LANName(1) && p.Source == lab.HostAddr6(2)
					})
				})
			}
			since := kit.Now(l)
			kit.PingTo(ctx, l, 2, lab.HostAddr6(1), 1)
			kit.Reached(delivered(since), "a packet arrives as it is")
			l.Intercept(func(c *lab.Crossing) {
				if p, ok := lab.Parse(c.Packet); ok && p.Protocol == tester.ProtocolAH && p.Source == lab.HostAddr6(2) {
					b := bytes.Clone(c.Packet)
					b[0], b[1], b[2], b[3], b[7] = b[0]^0x0a, b[1]^0xcf, b[2]^0xff, b[3]^0xff, b[7]-9 // all but ECN, which is the inner header's too
					c.Packet, c.Note = b, "altered on its way"
				}
			})
			since = kit.Now(l)
			kit.PingTo(ctx, l, 2, lab.HostAddr6(1), 1)
			Expect(delivered(since)).To(BeTrue(), "and so does one that was changed on its way")
		})

	It("sends packets whose ICV covers the header and whose numbers rise by one", kit.Requirement("RFC4302-2.2-01", "RFC4302-2.3-01",
		"RFC4302-2.5-01", "RFC4302-3.3.3-01", "RFC4302-3.3.3.1-01", "RFC4868-2.3-01"), func(ctx SpecContext) {
		s := device(ctx)
		since := kit.Now(s.Lab)
		kit.PingTo(ctx, s.Lab, 1, lab.HostAddr(2), 3)
		var numbers []uint32
		for _, f := range kit.WANSince(s.Lab, since) {
			ip, ok := lab.ParseIPv4(f.Packet)
			if !ok || ip.Protocol != tester.ProtocolAH {
				continue
			}
			c, err := s.keys.Read(ip)
			Expect(err).NotTo(HaveOccurred())
			Expect(c.ICV).To(Equal(16))
			Expect(c.Reserved).To(BeZero())
			Expect(c.Next).To(BeEquivalentTo(4))
			in, ok := lab.ParseIPv4(c.Payload)
			Expect(ok && in.Source == ip.Source && in.Destination == ip.Destination).To(BeTrue(), "both addresses are preserved")
			numbers = append(numbers, c.Sequence)
		}
		Expect(numbers).To(Equal([]uint32{1, 2, 3}))
	})

	It("forwards AH that is no group's as it is, where the group uses ESP", kit.Requirement("RFC4301-5.2-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, Group: func(g *policy.Group) { g.SAs[0].Selector.Protocol = 17 }})
		since := kit.Now(l)
		stranger := lab.IPv4{Source: lab.HostAddr(2), Destination: lab.HostAddr(1), Protocol: tester.ProtocolAH, TTL: 64, Payload: make([]byte, 32)}
		l.Inject(l.GM[1].Name(), stranger.Bytes())
		Expect(l.Wait(ctx, kit.Settle, func() bool {
			for _, f := range l.Frames()[since:] {
				ip, ok := lab.ParseIPv4(f.Packet)
				if ok && f.Link == lab.LANName(1) && ip.Protocol == tester.ProtocolAH && bytes.Equal(ip.Payload, stranger.Payload) {
					return true
				}
			}
			return false
		})).To(BeTrue())
	})

	for _, c := range []struct {
		sentence, requirement string
		deviation             tester.Deviation
	}{
		{"with transform 0", "RFC6407-5.5.1-07", edited("Transform ID 0", func(e *gdoi.SATESP) { e.TransformID = 0 })},
		{"with a transform that is not registered", "RFC6407-5.5.1-07", edited("Transform ID 100", func(e *gdoi.SATESP) { e.TransformID = 100 })},
		{"with a transform that it does not support", "RFC2407-4.5.3-01", edited("AH_RSA", func(e *gdoi.SATESP) { e.TransformID = gdoi.AHRSA })},
		{"without Authentication Algorithm", "RFC2407-4.5.3-01", edited("no Authentication Algorithm", func(e *gdoi.SATESP) {
			e.Attributes = tester.RemoveAttribute(e.Attributes, gdoi.AuthAlgorithm)
		})},
		{"with the Authentication Algorithm of another transform", "RFC2407-4.5.3-01", edited("HMAC-SHA1 with AH_SHA2-256",
			func(e *gdoi.SATESP) {
				e.Attributes = tester.SetAttribute(e.Attributes, wire.TV(gdoi.AuthAlgorithm, gdoi.AuthHMACSHA1))
			})},
		{"with a Key Length", "RFC2407-4.5.3-01", edited("Key Length 256",
			func(e *gdoi.SATESP) { e.Attributes = tester.SetAttribute(e.Attributes, wire.TV(gdoi.KeyLength, 256)) })},
	} {
		It("refuses a SAT of AH "+c.sentence, kit.Requirement(c.requirement), kit.Negative, func(ctx SpecContext) {
			l := kit.Lab(ctx, lab.Setup{Members: 1, Group: using(sha256), Member: hasty})
			Expect(l.KS.Misbehave(tester.Taps(tester.Once(c.deviation)))).To(Succeed())
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[0].Start(ctx), "the member starts")
			kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "an unaltered registration is accepted")
			kit.ExpectRefused(ctx, l.GM[0], rule.ID(c.requirement), BeNumerically(">", 0))
			Expect(len(kit.MessagesSince(l, 0, core.Pull1.String()))).To(BeNumerically(">", 1), "but not the first")
		})
	}

	for _, c := range []struct {
		sentence string
		protocol uint8
		ends     bool
	}{{"ends its SA of AH if that is deleted under Protocol-ID 2", gdoi.ProtoIPsecAH, true},
		{"keeps its SA of AH if the same SPI of ESP is deleted", gdoi.ProtoIPsecESP, false}} {
		It(c.sentence, kit.Requirement("RFC6407-5.9-04"), func(ctx SpecContext) {
			s := device(ctx)
			spi := kit.SPI(s.keys.SPI)
			Expect(s.KS.Misbehave(tester.Taps(tester.Edit(core.Push, "a Delete of that protocol", "RFC 6407 §5.9", func(d isakmp.Delete) isakmp.Payload {
				d.Protocol = c.protocol
				return d
			})))).To(Succeed())
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{DeleteTEKs: []string{spi}})
			s.Pass(ctx, kit.Settle)
			inner := s.inward()
			Expect(s.arrives(inner, s.keys.Packet(inner.Bytes()))).To(Equal(!c.ends))
		})
	}
})

// edited changes the body of the SATs in message 2.
func edited(what string, change func(*gdoi.SATESP)) tester.Deviation {
	return tester.EditSAT(core.Pull2, what, func(t *gdoi.SAT) { change(t.ESP) })
}

// hasty has a member that fails try again soon.
func hasty(i int, m *policy.Member) { m.RetryDelay = kit.Settle / 10 }
