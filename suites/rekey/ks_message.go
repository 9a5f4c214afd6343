package rekey

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// seen is a PUSH on the WAN beside the messages of the registration before it.
type seen struct {
	capture.Message
	octets       int // of the datagram
	pull2, pull4 capture.Message
	control.RekeyResult
}

// sight is something that has to be so in a PUSH.
type sight struct {
	what     string // "sends a rekey " …
	requires []string
	right    func(p seen)
}

// sights makes a spec of each row, of a PUSH that replaces what the arguments say.
func sights(args control.RekeyArgs, rows []sight) {
	for _, r := range rows {
		It("sends "+r.what, kit.Requirement(r.requires...), func(ctx SpecContext) {
			s := &scene{kit.Up(ctx, lab.Setup{Group: twoSAs}), ctx}
			r.right(s.see(args))
		})
	}
}

// twoSAs gives the group two SAs of AES-GCM.
func twoSAs(g *policy.Group) {
	other := g.SAs[0]
	other.Selector.Protocol = 17
	g.SAs = append(g.SAs, other)
}

// see has the key server send a PUSH to its only member and returns how it went over the WAN.
func (s *scene) see(args control.RekeyArgs) seen {
	GinkgoHelper()
	p := s.rekey(args)
	var crossed []capture.Frame
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		crossed = s.wanFrom(s.KS, p.since)
		return len(crossed) > 0
	})).To(BeTrue(), "the key server sends something")
	ip, _ := lab.ParseIPv4(crossed[0].Packet)
	_, _, data, _ := ip.UDP()
	all := kit.MessagesSince(s.Lab, 0, "")
	return seen{Message: capture.Decode(crossed, s.Keys())[0], octets: len(data), RekeyResult: p.RekeyResult,
		pull2: last(all, core.Pull2), pull4: last(all, core.Pull4)}
}

// wanFrom are the packets of a peer on the WAN since the mark.
func (s *scene) wanFrom(p *lab.Peer, since kit.Mark) []capture.Frame {
	var from []capture.Frame
	for _, f := range kit.WANSince(s.Lab, since) {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && ip.Source == p.Addr().Addr() {
			from = append(from, f)
		}
	}
	return from
}

func last(all []capture.Message, kind core.Kind) capture.Message {
	var found []capture.Message
	for _, m := range all {
		if m.Kind == kind.String() {
			found = append(found, m)
		}
	}
	return kit.Last(found)
}

var _ = Describe("GROUPKEY-PUSH messages of a key server (RFC 6407 §4, §4.2, §4.3)", kit.Subject("rekey"), kit.DUT(rule.KS), func() {
	sights(control.RekeyArgs{}, []sight{
		{"a rekey whose cookies are the SPI of the SAK that it gave at registration", []string{"RFC6407-4.2-01", "RFC6407-5.3-05"}, func(p seen) {
			Expect(p.cookies()).To(Equal(kit.Value(p.pull2, "SA/SAK/SPI")))
		}},
		{"a rekey of version 1.0 and exchange type 33", []string{"RFC6407-4.2-02", "RFC8263-8-01"}, func(p seen) {
			Expect(p.Header.Version).To(BeEquivalentTo(0x10))
			Expect(p.Header.Exchange).To(BeEquivalentTo(33))
		}},
		{"a rekey with the E flag set", []string{"RFC6407-4.2-03"}, func(p seen) {
			Expect(p.Header.Flags & isakmp.FlagEncryption).NotTo(BeZero())
		}},
		{"a rekey with no other flag", []string{"RFC6407-4.2-04"}, func(p seen) {
			Expect(p.Header.Flags &^ isakmp.FlagEncryption).To(BeZero())
		}},
		{"a rekey with Message ID 0", []string{"RFC6407-4.2-05"}, func(p seen) { Expect(p.Header.MessageID).To(BeZero()) }},
		{"a rekey whose Length is that of the datagram, with its padding", []string{"RFC6407-4.2-06"}, func(p seen) {
			Expect(p.Header.Length).To(BeEquivalentTo(p.octets))
			Expect((p.octets - isakmp.HeaderLen) % 16).To(BeZero())
		}},
		{"a rekey that is SEQ, SA, KD and SIG, in this order", []string{"RFC6407-4-01", "RFC6407-5-01"}, func(p seen) {
			Expect(kit.Names(p.Message)).To(Equal([]string{"SEQ", "SA", "KD", "SIG"}))
			Expect(p.Header.NextPayload).To(BeEquivalentTo(18))
		}},
		{"a rekey that its payloads fill but for less than a block, by their lengths", []string{"RFC6407-5-03"}, func(p seen) {
			end := isakmp.HeaderLen
			for _, f := range p.Payloads {
				Expect(f.Offset).To(Equal(end), "where %s begins", f.Name)
				end += f.Length
			}
			Expect(p.octets-end).To(And(BeNumerically(">=", 0), BeNumerically("<", 16)), "octets of padding")
		}},
		{"a rekey whose SAs are for both directions", []string{"RFC6407-5.5.1.1.2-04"}, func(p seen) {
			Expect(all(p.Payloads, "SA/SAT/SPI")).NotTo(BeEmpty())
			for _, direction := range all(p.Payloads, "SA/SAT/SA Direction") {
				Expect(direction).To(Equal("symmetric (3)"))
			}
		}},
		{"a rekey whose SEQ has eight octets", []string{"RFC6407-5.7-01"}, func(p seen) {
			f, _ := kit.Field(p.Message, "SEQ")
			Expect(f.Length).To(Equal(8))
		}},
		{"a rekey signed with the key that it gave at registration", []string{"RFC6407-4-02", "RFC6407-5.3.6.1-01", "RFC6407-5.6.2.2-01", "RFC6407-6.1-07"},
			func(p seen) { Expect(kit.Checked(p.Message, "SIG")).To(Equal(capture.OK)) }},
		{"a rekey encrypted with the KEK that it gave at registration", []string{"RFC6407-4-03", "RFC6407-6.1-02"}, func(p seen) {
			Expect(p.Encrypted && p.Decrypted).To(BeTrue())
			Expect(p.Err).To(BeEmpty())
		}},
		{"a rekey with a key for each new SA and no other", []string{"RFC6407-4.3-03", "RFC6407-5.6-03", "RFC6407-5.6.1-03"}, func(p seen) {
			Expect(all(p.Payloads, "SA/SAT/SPI")).To(Equal(p.SPIs))
			Expect(all(p.Payloads, "KD/Key Packet TEK/SPI")).To(ConsistOf(p.SPIs))
			Expect(all(p.Payloads, "SA/SAK/SPI")).To(BeEmpty())
			Expect(all(p.Payloads, "KD/Key Packet KEK/SPI")).To(BeEmpty())
		}},
		{"a rekey whose SAs are those of the registration with other SPIs and other keys", []string{"RFC6407-4.3-02", "RFC6407-3.2-12"}, func(p seen) {
			for _, path := range []string{"Protocol", "Source", "Destination", "Transform ID", "Encapsulation Mode", "Key Length", "Address Preservation"} {
				Expect(all(p.Payloads, "SA/SAT/"+path)).To(Equal(all(p.pull2.Payloads, "SA/SAT/"+path)), path)
			}
			for _, spi := range p.SPIs {
				Expect(all(p.pull2.Payloads, "SA/SAT/SPI")).NotTo(ContainElement(spi))
			}
			for _, key := range all(p.Payloads, "KD/Key Packet TEK/TEK_ALGORITHM_KEY") {
				Expect(all(p.pull4.Payloads, "KD/Key Packet TEK/TEK_ALGORITHM_KEY")).NotTo(ContainElement(key))
			}
		}},
		{"a rekey whose counter-mode SAs have keys of their own", []string{"RFC6407-3.5-05"}, func(p seen) {
			keys := all(p.Payloads, "KD/Key Packet TEK/TEK_ALGORITHM_KEY")
			Expect(keys).To(HaveLen(2))
			Expect(keys[0]).NotTo(Equal(keys[1]))
		}},
		{"a rekey whose SPIs are none of the reserved ones", []string{"RFC4303-2.1-05", "RFC4303-2.1-06"}, func(p seen) {
			for _, spi := range all(p.Payloads, "SA/SAT/SPI") {
				Expect(number(spi)).To(BeNumerically(">", 255))
			}
		}},
		{"a rekey without Sender-IDs, though a counter mode needs them", []string{"RFC6407-5.6.4.4-02", "RFC6407-5.6.4-02", "RFC6407-5.4-01"}, func(p seen) {
			Expect(all(p.pull4.Payloads, "KD/Key Packet SID/SID_VALUE")).NotTo(BeEmpty())
			for _, packet := range children(p.Payloads, "KD") {
				Expect(packet.Name).NotTo(ContainSubstring("SID"))
			}
		}},
		{"a rekey whose SA is followed by KD and begins with a SAT", []string{"RFC6407-5.2-02", "RFC6407-5.2-07"}, func(p seen) {
			Expect(kit.Value(p.Message, "SA/SA Attribute Next Payload")).To(ContainSubstring("(16)"))
			Expect(kit.Value(p.Message, "SA/DOI")).To(Equal("GDOI (2)"))
			Expect(kit.Value(p.Message, "SA/Situation")).To(Equal("0"))
		}},
	})

	sights(control.RekeyArgs{KEK: true}, []sight{
		{"a new KEK with a SAK whose cookies are new, and with its keys", []string{"RFC6407-4-04", "RFC6407-4.3-03", "RFC6407-4.2-01"}, func(p seen) {
			Expect(all(p.Payloads, "SA/SAK/SPI")).To(Equal([]string{p.Rekey}))
			Expect(all(p.Payloads, "KD/Key Packet KEK/SPI")).To(Equal([]string{p.Rekey}))
			Expect(p.Rekey).NotTo(Equal(p.cookies()), "the message is under the old ones")
		}},
		{"a new KEK under the KEK before it", []string{"RFC6407-4.3-04", "RFC6407-4-03"}, func(p seen) {
			Expect(p.cookies()).To(Equal(kit.Value(p.pull2, "SA/SAK/SPI")))
			Expect(p.Decrypted).To(BeTrue(), "the old KEK decrypts it")
			Expect(kit.Checked(p.Message, "SIG")).To(Equal(capture.OK))
		}},
		{"a new KEK with another key and IV, and for the whole of its lifetime", []string{"RFC6407-4-04", "RFC6407-5.3.4-01", "RFC6407-5.6.2.1-01", "RFC6407-5-02"}, func(p seen) {
			key := kit.Value(p.Message, "KD/Key Packet KEK/KEK_ALGORITHM_KEY")
			Expect(key).To(HaveLen(2 * (16 + 16)))
			Expect(key).NotTo(Equal(kit.Value(p.pull4, "KD/Key Packet KEK/KEK_ALGORITHM_KEY")))
			lifetime, _ := kit.Field(p.Message, "SA/SAK/KEK_KEY_LIFETIME")
			Expect(lifetime.Value).To(Equal("86400"))
			Expect(lifetime.Length).To(Equal(8), "as a TLV of four octets")
		}},
		{"a new KEK and new SAs in one message, with keys for all of them", []string{"RFC6407-4.3-03", "RFC6407-5.2.1-04"}, func(p seen) {
			Expect(all(p.Payloads, "SA/SAT/SPI")).To(Equal(p.SPIs))
			Expect(all(p.Payloads, "KD/Key Packet TEK/SPI")).To(ConsistOf(p.SPIs))
			Expect(p.Summary).To(ContainSubstring("SA {SAK, 2 SAT}"))
		}},
	})

	It("sends the delays of old and new SAs in a GAP between SAK and SATs", kit.Requirement("RFC6407-5.4-02", "RFC6407-5.2.1-04"), func(ctx SpecContext) {
		atd, dtd := 2*time.Second, 7*time.Second
		s := &scene{kit.Up(ctx, lab.Setup{Group: func(g *policy.Group) { g.Activation = policy.Activation{ATD: &atd, DTD: &dtd} }}), ctx}
		p := s.see(control.RekeyArgs{KEK: true})
		Expect(p.Summary).To(ContainSubstring("SA {SAK, GAP, SAT}"))
		Expect(all(p.Payloads, "SA/GAP/ACTIVATION_TIME_DELAY")).To(Equal([]string{"2"}))
		Expect(all(p.Payloads, "SA/GAP/DEACTIVATION_TIME_DELAY")).To(Equal([]string{"7"}))
	})

	sights(control.RekeyArgs{KEK: true, KEKOnly: true}, []sight{
		{"a new KEK alone, if nothing else is to change", []string{"RFC6407-4.3-03", "RFC6407-4-04"}, func(p seen) {
			Expect(all(p.Payloads, "SA/SAK/SPI")).To(Equal([]string{p.Rekey}))
			Expect(all(p.Payloads, "SA/SAT/SPI")).To(BeEmpty())
			Expect(all(p.Payloads, "KD/Key Packet TEK/SPI")).To(BeEmpty())
			Expect(kit.Checked(p.Message, "SIG")).To(Equal(capture.OK))
		}},
	})

	sights(control.RekeyArgs{DeleteAll: true}, []sight{
		{"Deletes without SA and KD, if nothing is left", []string{"RFC6407-5.9-02", "RFC6407-4-01"}, func(p seen) {
			Expect(kit.Names(p.Message)).To(Equal([]string{"SEQ", "D", "D", "SIG"}))
			Expect(kit.Checked(p.Message, "SIG")).To(Equal(capture.OK))
		}},
		{"Deletes of the GDOI DOI", []string{"RFC6407-5.9-03"}, func(p seen) { Expect(all(p.Payloads, "D/DOI")).To(HaveEach("GDOI (2)")) }},
		{"a Delete of all SAs with the protocol number of ESP in a SAT and SPI 0", []string{"RFC6407-5.9-04", "RFC6407-5.9-08"}, func(p seen) {
			Expect(kit.Value(p.Message, "D/Protocol")).To(HaveSuffix("(1)"))
			Expect(kit.Value(p.Message, "D/SPI Size")).To(Equal("4"))
			Expect(kit.Value(p.Message, "D/SPI")).To(Equal("00000000"))
		}},
		{"a Delete of the KEK with protocol number 0 and SPI 0 behind that of all SAs", []string{"RFC6407-5.9-05", "RFC6407-5.9-08"}, func(p seen) {
			Expect(all(p.Payloads, "D/Protocol")).To(HaveExactElements(HaveSuffix("(1)"), HaveSuffix("(0)")))
			Expect(all(p.Payloads, "D/SPI")).To(HaveExactElements("00000000", strings.Repeat("00", 16)))
		}},
		{"the SPIs of SAs and of the KEK in Deletes of their own", []string{"RFC6407-5.9-06", "RFC2408-3.15-01"}, func(p seen) {
			Expect(all(p.Payloads, "D/SPI Size")).To(Equal([]string{"4", "16"}))
			Expect(all(p.Payloads, "D/SPIs")).To(Equal([]string{"1", "1"}))
		}},
	})
})

// cookies are the cookies of the message as an SPI of a SAK is written.
func (p seen) cookies() string {
	return p.Header.InitiatorCookie.String() + p.Header.ResponderCookie.String()
}

// all are the values of all fields at that path of names, in their order.
func all(fields []capture.Field, path string) []string {
	name, rest, more := strings.Cut(path, "/")
	var values []string
	for _, f := range fields {
		switch {
		case f.Name == name && more:
			values = append(values, all(f.Children, rest)...)
		case f.Name == name:
			values = append(values, f.Value)
		}
	}
	return values
}

// children are the fields inside the first of that name.
func children(fields []capture.Field, name string) []capture.Field {
	for _, f := range fields {
		if f.Name == name {
			return f.Children
		}
	}
	return nil
}
