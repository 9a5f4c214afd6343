package iec61850

import (
	"strconv"
	"strings"
	"time"

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

// The algorithms as the registry has them (RFC 8052 §4), and the octets of their keys (§2.3), once more.
var (
	authentications = map[policy.IECAuthentication]string{1: "NONE (1)", 2: "HMAC-SHA256-128 (2)", 3: "HMAC-SHA256 (3)", 4: "AES-GMAC-128 (4)", 5: "AES-GMAC-256 (5)"}
	encryptions     = map[policy.IECEncryption]string{1: "NONE (1)", 2: "AES-CBC-128 (2)", 3: "AES-CBC-256 (3)", 4: "AES-GCM-128 (4)", 5: "AES-GCM-256 (5)"}
	integrityOctets = map[policy.IECAuthentication]int{1: 0, 2: 32, 3: 32, 4: 20, 5: 36}
	cipherOctets    = map[policy.IECEncryption]int{1: 0, 2: 16, 3: 32, 4: 20, 5: 36}
)

// duty is something that a key server owes in message 2, in one sentence.
type duty struct {
	sentence    string
	requirement string // with spaces between
	group       func(*policy.Group)
	holds       func(m capture.Message)
}

var _ = Describe("IEC 61850 at a key server (RFC 8052 §2)", kit.Subject("iec61850"), kit.DUT(rule.KS), func() {
	for _, d := range []duty{
		{"sends a SAT of IEC 61850 as Protocol-ID 3", "RFC8052-2.2-01 RFC8052-4-01", plainly, is("Protocol-ID", "IEC 61850 (3)")},
		{"names the traffic by an OID in DER and what belongs to it", "RFC8052-2.2-01", plainly, func(m capture.Message) {
			GinkgoHelper()
			is("OID Length", "13")(m)
			is("OID", trafficDER)(m)
			is("OID Payload Length", "4")(m)
			is("OID Payload", "e0000101")(m)
		}},
		{"sends an SPI that is not reserved", "RFC8052-2.2-01", plainly, func(m capture.Message) {
			GinkgoHelper()
			spi, err := strconv.ParseUint(kit.Value(m, "SA/SAT/SPI"), 16, 32)
			Expect(err).NotTo(HaveOccurred())
			Expect(spi).To(BeNumerically(">", 255))
		}},
		{"says how many seconds are left", "RFC8052-2.2-01", plainly, func(m capture.Message) {
			GinkgoHelper()
			left, err := strconv.Atoi(kit.Value(m, "SA/SAT/Remaining Lifetime"))
			Expect(err).NotTo(HaveOccurred())
			Expect(left).To(And(BeNumerically("<=", lifetime.Seconds()), BeNumerically(">", lifetime.Seconds()-60)))
		}},
		{"sends SA_ATD as attribute of variable length and SA_KDA as a basic one", "RFC8052-4-01", handled(5, 80), func(m capture.Message) {
			GinkgoHelper()
			delay, _ := kit.Field(m, "SA/SAT/SA_ATD")
			assurance, _ := kit.Field(m, "SA/SAT/SA_KDA")
			Expect(delay.Length).To(BeNumerically(">", basic), "octets of SA_ATD")
			Expect(assurance.Length).To(Equal(basic), "octets of SA_KDA")
			Expect(assurance.Value).To(Equal("80"))
		}},
		{"sends the activation delay of the SA's own policy beside that of the group", "RFC8052-2.2.4.1-01", func(g *policy.Group) {
			handled(5, 80)(g)
			g.Activation.ATD = new(2 * time.Second)
		}, func(m capture.Message) {
			GinkgoHelper()
			is("SA_ATD", "5")(m)
			Expect(kit.Value(m, "SA/GAP/ACTIVATION_TIME_DELAY")).To(Equal("2"))
		}},
		{"sends neither SA_ATD nor SA_KDA if the policy has none", "RFC8052-2.2.4.1-01", plainly, func(m capture.Message) {
			GinkgoHelper()
			is("SA_ATD", "")(m)
			is("SA_KDA", "")(m)
		}},
		{"encrypts if its policy does not say otherwise", "RFC8052-3-02", only(policy.Transform{}), func(m capture.Message) {
			GinkgoHelper()
			Expect(kit.Value(m, "SA/SAT/Enc Alg")).To(And(Not(BeEmpty()), Not(Equal(encryptions[policy.IECEncryptNone]))))
		}},
		{"uses an algorithm if its policy does not say otherwise", "RFC8052-3-03", only(policy.Transform{}), func(m capture.Message) {
			GinkgoHelper()
			Expect([]string{kit.Value(m, "SA/SAT/Auth Alg"), kit.Value(m, "SA/SAT/Enc Alg")}).To(ContainElement(Not(HaveSuffix("(1)"))))
		}},
		{"authenticates what AES-CBC encrypts if its policy does not say how", "RFC8052-2.2.3-01 RFC8052-3-01",
			only(policy.Transform{Encryption: policy.IECEncryptCBC256}), func(m capture.Message) {
				GinkgoHelper()
				Expect(kit.Value(m, "SA/SAT/Auth Alg")).To(And(Not(BeEmpty()), Not(Equal(authentications[policy.IECAuthNone]))))
			}},
	} {
		It(d.sentence, kit.Requirement(strings.Fields(d.requirement)...), func(ctx SpecContext) {
			s := stage(ctx, d.group, servant)
			s.begin()
			d.holds(s.sent(0, core.Pull2))
		})
	}

	for _, t := range policy.IECTransforms() {
		ids := []string{"RFC8052-4-01", "RFC8052-2.3-01"}
		if cipherOctets[t.Encryption] > 0 {
			ids = append(ids, "RFC8052-2.3-03", "RFC8052-3-01")
		}
		if integrityOctets[t.Authentication] > 0 {
			ids = append(ids, "RFC8052-2.3-02")
		}
		It("names "+t.String()+" by their numbers and gives keys of their lengths", kit.Requirement(ids...), func(ctx SpecContext) {
			s := stage(ctx, only(t), servant)
			s.begin()
			judge(s.sent(0, core.Pull2), s.sent(0, core.Pull4), t)
		})
	}

	It("brings a new SA of IEC 61850 with its keys in a rekey", kit.Requirement("RFC8052-2.2-01", "RFC8052-2.3-01"), func(ctx SpecContext) {
		s := joined(ctx, plainly)
		since, before := kit.Now(s.Lab), s.current()
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		m := s.sent(since, core.Push)
		judge(m, m, policy.Transform{Authentication: policy.IECAuthHMACSHA256128, Encryption: policy.IECEncryptNone})
		Expect(kit.Value(m, "SA/SAT/SPI")).NotTo(Equal(before), "it is another SA")
	})

	for _, c := range []struct{ sentence, spi string }{
		{"deletes an SA of IEC 61850 under Protocol-ID 3", ""}, {"deletes all SAs of IEC 61850 under Protocol-ID 3", "00000000"},
	} {
		It(c.sentence, kit.Requirement("RFC6407-5.9-04"), func(ctx SpecContext) {
			s := joined(ctx, plainly)
			since, spi := kit.Now(s.Lab), c.spi
			if spi == "" {
				spi = s.current()
			}
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{DeleteTEKs: []string{spi}})
			m := s.sent(since, core.Push)
			Expect(kit.Value(m, "D/Protocol")).To(HaveSuffix("(3)"))
			Expect(kit.Value(m, "D/SPI")).To(Equal(spi))
		})
	}

	It("admits a member that names the group by its OID", kit.Requirement("RFC8052-2.1-01"), func(ctx SpecContext) {
		s := stage(ctx, named, oidServant)
		s.begin()
		Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed())
	})

	for _, c := range []struct {
		sentence string
		data     []byte
	}{
		{"does not admit a member that names another OID", []byte("\x04\x06\x02\x2a\x03\x00\x00")},
		{"does not admit a member that names its OID with other octets beside it", append([]byte("\x0d\x06\x0b\x2a\x86\x48\xce\x56\x83\xe3\x1a\x08\x01\x01"), 0, 1, 9)},
		{"does not admit a member whose OID is longer than the identity", []byte("\xff\x06\x02\x2a\x03\x00\x00")},
	} {
		It(c.sentence, kit.Requirement("RFC6407-3.4-01", "RFC8052-2.1-01"), kit.Negative, func(ctx SpecContext) {
			s := stage(ctx, named, oidServant)
			Expect(s.GM[0].Misbehave(tester.Taps(tester.Once(tester.GroupOID("an OID of no group", c.data))))).To(Succeed())
			s.begin()
			kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return len(s.messages(0, core.Pull1)) > 1 }), "the member asks again")
			wrong := s.messages(0, core.Pull1)[0].Header.MessageID
			registered := s.GM[0].AwaitRegistered(ctx) == nil
			kit.Control(registered, "a member that names the group is admitted")
			for _, m := range s.messages(0, core.Pull2) {
				Expect(m.Header.MessageID).NotTo(Equal(wrong), "the first is not answered")
			}
		})
	}
})

// named gives the group a name beside its number.
func named(g *policy.Group) {
	plainly(g)
	g.OID = groupName
}

// oidServant is a servant that asks for the group by that name.
func oidServant(i int, m *policy.Member) {
	servant(i, m)
	m.GroupOID = groupName
}

// basic is the length of an attribute in Basic form.
const basic = 4

// is demands a value of the SAT.
func is(name, value string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(kit.Value(m, "SA/SAT/"+name)).To(Equal(value), name)
	}
}

// judge demands the numbers of the algorithms in a SAT, and one TEK packet of its SPI with the keys that go with them.
func judge(sat, keys capture.Message, t policy.Transform) {
	GinkgoHelper()
	is("Auth Alg", authentications[t.Authentication])(sat)
	is("Enc Alg", encryptions[t.Encryption])(sat)
	packet, ok := kit.Field(keys, "KD/Key Packet TEK")
	Expect(ok).To(BeTrue(), "there is a TEK packet")
	got := map[string]int{}
	for _, f := range packet.Children {
		if f.Name == "SPI" {
			Expect(f.Value).To(Equal(kit.Value(sat, "SA/SAT/SPI")))
			continue
		}
		got[f.Name] = len(f.Value) / 2
	}
	want := map[string]int{}
	if n := cipherOctets[t.Encryption]; n > 0 {
		want["TEK_ALGORITHM_KEY"] = n
	}
	if n := integrityOctets[t.Authentication]; n > 0 {
		want["TEK_INTEGRITY_KEY"] = n
	}
	Expect(got).To(Equal(want), "octets of the keys")
}
