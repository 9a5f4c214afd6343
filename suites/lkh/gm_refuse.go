package lkh

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// refusal is a message with arrays that a member has to refuse.
type refusal struct {
	sentence    string
	requirement string // the first of them is the one that the member names
	deviation   tester.Deviation
	alter       []func(*policy.Group)
}

// downloads are wrong keys at registration.
var downloads = []refusal{
	{"refuses two LKH packets", "RFC6407-5.6.3-02",
		tester.EditKD(core.Pull4, "the LKH packet twice", func(kd *gdoi.KD) {
			at := slices.IndexFunc(kd.Packets, func(p gdoi.KeyPacket) bool { return p.Type == gdoi.KDTypeLKH })
			kd.Packets = append(kd.Packets, kd.Packets[at])
		}), nil},
	{"refuses a KEK packet beside the LKH packet", "RFC6407-5.6.2-03",
		tester.EditKD(core.Pull4, "a KEK packet too", func(kd *gdoi.KD) {
			at := slices.IndexFunc(kd.Packets, func(p gdoi.KeyPacket) bool { return p.Type == gdoi.KDTypeLKH })
			kek := kd.Packets[at]
			kek.Type = gdoi.KDTypeKEK
			kek.Attributes = []wire.Attribute{wire.TLV(gdoi.KEKAlgorithmKey, make([]byte, 32)),
				wire.TLV(gdoi.SigAlgorithmKey, kek.Values(gdoi.LKHSigAlgorithmKey)[0])}
			kd.Packets = append(kd.Packets, kek)
		}), nil},
	{"refuses an LKH packet for an SPI that the SAK does not have", "RFC6407-5.6-03 RFC6407-3.3-06",
		tester.EditKeys(core.Pull4, gdoi.KDTypeLKH, "another SPI", func(p *gdoi.KeyPacket) {
			p.SPI = slices.Clone(p.SPI)
			p.SPI[0] ^= 1
		}), nil},
	{"refuses two arrays of keys at registration", "RFC6407-5.6.3.1-02",
		tester.EditKeys(core.Pull4, gdoi.KDTypeLKH, "the array twice", func(p *gdoi.KeyPacket) { p.Attributes = append(p.Attributes, p.Attributes[0]) }), nil},
	{"refuses an LKH packet with an attribute that nobody knows", "RFC6407-5.6.3-01",
		tester.EditKeys(core.Pull4, gdoi.KDTypeLKH, "an unassigned attribute", func(p *gdoi.KeyPacket) {
			p.Attributes = append(p.Attributes, wire.TV(100, 1))
		}), nil},
	{"refuses an array that has no length", "RFC6407-5.6.3-01",
		tester.EditKeys(core.Pull4, gdoi.KDTypeLKH, "an array as TV", func(p *gdoi.KeyPacket) {
			p.Attributes = append(p.Attributes, wire.TV(gdoi.LKHUpdateArray, 1))
		}), nil},
	{"refuses an LKH packet without the public key of PUSH", "RFC6407-5.6.3-01",
		tester.EditKeys(core.Pull4, gdoi.KDTypeLKH, "no public key", func(p *gdoi.KeyPacket) {
			p.Attributes = tester.RemoveAttribute(p.Attributes, gdoi.LKHSigAlgorithmKey)
		}), nil},
	{"refuses a registration without an array of keys", "RFC6407-3.3-08",
		tester.EditKeys(core.Pull4, gdoi.KDTypeLKH, "no array", func(p *gdoi.KeyPacket) {
			p.Attributes = tester.RemoveAttribute(p.Attributes, gdoi.LKHDownloadArray)
		}), nil},
	{"refuses an array of version 2", "RFC6407-5.6.3.1-03",
		tester.EditDownload(core.Pull4, "LKH version 2", func(a *gdoi.LKHDownload) { a.Version = 2 }), nil},
	{"refuses an array of version 0", "RFC6407-5.6.3.1-03",
		tester.EditDownload(core.Pull4, "LKH version 0", func(a *gdoi.LKHDownload) { a.Version = 0 }), nil},
	{"refuses an array that says one key more than it has", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "a key too few", func(a *gdoi.LKHDownload) { a.Count = says(len(a.Keys) + 1) }), nil},
	{"refuses an array that says one key less than it has", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "a key too many", func(a *gdoi.LKHDownload) { a.Count = says(len(a.Keys) - 1) }), nil},
	{"refuses an array without keys", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "no key", func(a *gdoi.LKHDownload) { a.Keys = nil }), nil},
	{"refuses an array whose reserved field is not 0", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "RESERVED 1", func(a *gdoi.LKHDownload) { a.Reserved = 1 }), nil},
	{"refuses an LKH key whose reserved field is not 0", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "RESERVED 1 of a key", func(a *gdoi.LKHDownload) { a.Keys[1].Reserved = 1 }), nil},
	{"refuses an LKH key that is too short", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "a key of 15 octets", func(a *gdoi.LKHDownload) { shorten(a.Keys) }), nil},
	{"refuses an LKH key that is too long", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "a key of 24 octets", func(a *gdoi.LKHDownload) {
			a.Keys[len(a.Keys)-1].Data = append(slices.Clone(a.Keys[len(a.Keys)-1].Data), make([]byte, 8)...)
		}), nil},
	{"refuses an LKH key of a type that nobody knows", "RFC6407-5.6.3.1-04",
		tester.EditDownload(core.Pull4, "type 100", func(a *gdoi.LKHDownload) { a.Keys[1].Type = 100 }), nil},
	{"refuses an LKH key of another cipher than the KEK", "RFC6407-5.3.2-02",
		tester.EditDownload(core.Pull4, "type 3DES", func(a *gdoi.LKHDownload) { a.Keys[1].Type = gdoi.KEKCipher3DES }), nil},
}

// updates are wrong rekeys that bring a KEK.
var updates = []refusal{
	{"drops a rekey with two LKH packets", "RFC6407-5.6.3-02",
		tester.EditKD(core.Push, "the LKH packet twice", func(kd *gdoi.KD) { kd.Packets = append(kd.Packets, kd.Packets[0]) }), nil},
	{"drops a rekey with a KEK packet beside the LKH packet", "RFC6407-5.6.2-03",
		tester.EditKD(core.Push, "a KEK packet too", func(kd *gdoi.KD) {
			kek := gdoi.KeyPacket{Type: gdoi.KDTypeKEK, SPI: kd.Packets[0].SPI, Attributes: []wire.Attribute{
				wire.TLV(gdoi.KEKAlgorithmKey, make([]byte, 32)), wire.TLV(gdoi.SigAlgorithmKey, kd.Packets[0].Values(gdoi.LKHSigAlgorithmKey)[0])}}
			kd.Packets = append(kd.Packets, kek)
		}), nil},
	{"drops a rekey with updates for an SPI that the SAK does not have", "RFC6407-5.6-03",
		tester.EditKeys(core.Push, gdoi.KDTypeLKH, "another SPI", func(p *gdoi.KeyPacket) {
			p.SPI = slices.Clone(p.SPI)
			p.SPI[0] ^= 1
		}), nil},
	{"drops a rekey with updates without the public key of PUSH", "RFC6407-5.6.3-01",
		tester.EditKeys(core.Push, gdoi.KDTypeLKH, "no public key", func(p *gdoi.KeyPacket) {
			p.Attributes = tester.RemoveAttribute(p.Attributes, gdoi.LKHSigAlgorithmKey)
		}), nil},
	{"drops a rekey with updates whose first reserved field is not 0", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "RESERVED 1", func(a *gdoi.LKHUpdate) { a.Reserved = 1 }), nil},
	{"drops a rekey with updates that have a key whose reserved field is not 0", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "RESERVED 1 of a key", func(a *gdoi.LKHUpdate) { a.Keys[0].Reserved = 1 }), nil},
	{"drops a rekey with updates without keys", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "no key", func(a *gdoi.LKHUpdate) { a.Keys = nil }), nil},
	{"drops a rekey with updates of version 2", "RFC6407-5.6.3.1-03",
		tester.EditUpdates(core.Push, "LKH version 2", func(a *gdoi.LKHUpdate) { a.Version = 2 }), nil},
	{"drops a rekey with updates that say one key more than they have", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "a key too few", func(a *gdoi.LKHUpdate) { a.Count = says(len(a.Keys) + 1) }), nil},
	{"drops a rekey with updates that say one key less than they have", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "a key too many", func(a *gdoi.LKHUpdate) { a.Count = says(len(a.Keys) - 1) }), nil},
	{"drops a rekey with updates whose second reserved field is not 0", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "RESERVED2 1", func(a *gdoi.LKHUpdate) { a.Reserved2 = 1 }), nil},
	{"drops a rekey with updates whose keys are too short", "RFC6407-5.6.3.1-04",
		tester.EditUpdates(core.Push, "keys of 15 octets", func(a *gdoi.LKHUpdate) { shorten(a.Keys) }), nil},
	{"drops a rekey with updates of keys of another cipher than the KEK", "RFC6407-5.3.2-02",
		tester.EditUpdates(core.Push, "type 3DES", func(a *gdoi.LKHUpdate) { a.Keys[0].Type = gdoi.KEKCipher3DES }), nil},
	{"drops a rekey with updates for places where nobody is", "RFC6407-4.4-05",
		tester.EditUpdates(core.Push, "unknown LKH ID", func(a *gdoi.LKHUpdate) { a.ID ^= 0x4000 }), nil},
	{"drops a rekey with updates under keys that had the places before", "RFC6407-4.4-05",
		tester.EditUpdates(core.Push, "unknown handle", func(a *gdoi.LKHUpdate) { a.Handle-- }), nil},
	{"drops a rekey to a multicast group with the keys of a single member", "RFC6407-5.6.3.1-01",
		tester.EditKeys(core.Push, gdoi.KDTypeLKH, "an array of keys", func(p *gdoi.KeyPacket) {
			key := gdoi.LKHKey{ID: 1, Type: gdoi.KEKCipherAES, Data: make([]byte, 32)}
			value, _ := gdoi.LKHDownload{Version: gdoi.LKHVersion, Keys: []gdoi.LKHKey{key}}.Append(nil)
			p.Attributes = append(p.Attributes, wire.TLV(gdoi.LKHDownloadArray, value))
		}), []func(*policy.Group){lab.Multicast}},
}

var _ = Describe("Wrong keys of a hierarchy at a group member (RFC 6407 §5.6.3)", kit.Subject("lkh"), kit.DUT(rule.GM), kit.Feature("lkh"), func() {
	for _, c := range downloads {
		requires := strings.Fields(c.requirement)
		It(c.sentence, kit.Requirement(requires...), kit.Negative, func(ctx SpecContext) {
			s := build(ctx, 2)
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			Expect(s.KS.Misbehave(tester.Taps(c.deviation))).To(Succeed())
			kit.Precondition(s.GM[0].Start(ctx), "the member starts")
			Expect(s.Wait(ctx, lab.Patience, func() bool { return s.GM[0].Refused(ctx, rule.ID(requires[0])) > 0 || s.GM[0].Registered(ctx) })).
				To(BeTrue(), "it says that it refuses the keys")
			Expect(s.GM[0].Registered(ctx)).To(BeFalse(), "it is not content with them")
			Expect(s.KS.Misbehave(nil)).To(Succeed())
			kit.Control(s.GM[0].AwaitRegistered(ctx) == nil, "it takes those that are right")
			Expect(s.follows(1, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "and follows a rekey")
		})
	}

	for _, c := range updates {
		It(c.sentence, kit.Requirement(c.requirement), kit.Negative, func(ctx SpecContext) {
			s := up(ctx, 2, c.alter...)
			kit.Reached(s.follows(1, s.rekey(control.RekeyArgs{})), "the member follows an ordinary rekey")
			refused, since := kit.Refused(ctx, s.GM[0], rule.ID(c.requirement)), kit.Now(s.Lab)
			s.rekey(newKEK, c.deviation)
			Expect(kit.AwaitRefusal(ctx, s.Lab, s.GM[0], rule.ID(c.requirement), refused, func() bool { return len(kit.Shown(s.Lab, 1, since)) > 0 })).
				To(BeTrue(), "it says that it refuses the rekey")
			Expect(kit.Taken(ctx, s.Lab, 1, since)).To(BeEmpty(), "it does not take it")
			before := s.GM[0].Registrations()
			kit.Precondition(s.GM[0].Register(ctx), "the member registers again, for the KEK that it has missed")
			kit.Reached(s.GM[0].AwaitRegistrations(ctx, before, lab.Patience), "it is registered")
			kit.Control(kit.Takes(ctx, s.Lab, 1, s.rekey(newKEK)) && s.follows(1, s.rekey(control.RekeyArgs{})), "it takes the next KEK, which comes right")
		})
	}
})

func says(n int) *uint16 {
	count := uint16(n)
	return &count
}

// shorten takes an octet off the last of the keys.
func shorten(keys []gdoi.LKHKey) {
	last := &keys[len(keys)-1]
	last.Data = last.Data[:len(last.Data)-1]
}
