package console

import (
	"bytes"
	"encoding/pem"
	"io/fs"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// sample is the configuration of the guide's section about changes, with what it takes for granted.
var sample = unicast.as(
	"identity number 1234", "identity number 3333",
	"set security-association lifetime seconds 1800", "set security-association lifetime seconds 900",
	"rekey lifetime seconds 7200", "rekey lifetime seconds 3600",
	"rekey transport unicast", "rekey address ipv4 121\n  no rekey retransmit",
	"match address ipv4 icmp", "match address ipv4 120\n   replay counter window-size 3",
	"sa ipsec 1\n   profile first\n   match address ipv4 udp\n", "",
	"sa ipsec 2\n   profile second\n", "sa ipsec 1\n   profile second\n",
	"extended icmp\n permit icmp", "extended 120\n permit ip",
) + written("access-list 121 permit udp host "+lab.KeyServerAddr.String()+" eq 848 host "+lab.MulticastGroup.String()+" eq 848\n")

// filtered is a key server that asks of members what their certificates say.
var filtered = unicast.as("sa ipsec 2", "authorization identity GETVPN_FILTER\n  sa ipsec 2") + `crypto identity GETVPN_FILTER
 dn ou=GETVPN, o=gdoilab
`

// permitted is a key server that admits the second member only, by a list as the guide's example has it.
var permitted = unicast.as("sa ipsec 2", "authorization address ipv4 50\n  sa ipsec 2") +
	written("access-list 50 permit ip host "+lab.MemberAddr(2).String()+" host "+lab.KeyServerAddr.String()+"\n")

var _ = Describe("A router's configuration of a key server, task by task", kit.Subject("console"), kit.DUT(rule.KS), func() {
	It("offers no SA whose profile is not defined", kit.Requirement("GETVPN-CFG-01"), func(ctx SpecContext) {
		incomplete := unicast.as("crypto ipsec profile second", "crypto ipsec profile other")
		setup := incomplete.setup()
		_, warnings := incomplete.parsed()
		Expect(warnings).To(ContainElement(HaveField("Text", `the SA 2 is incomplete: there is no "crypto ipsec profile second"`)))
		l := kit.Up(ctx, setup)
		kit.NeedsKeys(l)
		Expect(leaves(sent(l, 0, "PULL2", l.KS)[0].Payloads, "Protocol", "SAT")).To(HaveExactElements(ContainSubstring("17")), "the SA that is complete")
	})

	It("makes of the guide's sample a group with everything that it says", kit.Requirement("GETVPN-CFG-08"), func(ctx SpecContext) {
		setup := sample.setup()
		setup.Member = func(_ int, c *policy.Member) { c.Group = 3333 }
		k, warnings := sample.parsed()
		Expect(k.Groups[0].SAs[0].AntiReplay).To(Equal(policy.AntiReplay{Method: policy.ReplayCounter, Counter: 32}))
		Expect(warnings).To(ContainElement(HaveField("Text", ContainSubstring("a window of 3 packets"))))
		Expect(k.Groups[0].Rekey.Retransmit).To(BeZero())
		kit.Reading("GETVPN-CFG-08", "a window of 3 packets is taken for the smallest that a receiver may have, of 32")

		l := kit.Up(ctx, setup)
		offer := sent(l, 0, "PULL2", l.KS)[0]
		kit.NeedsKeys(l)
		for path, want := range map[string]string{
			"SA/SAT/Transform ID": "ESP_AES-CBC (12)", "SA/SAK/KEK_KEY_LENGTH": "128",
			"SA/SAK/Destination": "ID_IPV4_ADDR " + lab.MulticastGroup.String() + " port 848",
		} {
			Expect(kit.Value(offer, path)).To(Equal(want), path)
		}
		for path, want := range map[string]float64{"SA/SAT/SA Life Duration": 900, "SA/SAK/KEK_KEY_LIFETIME": 3600} {
			Expect(seconds(kit.Value(offer, path))).To(BeNumerically("~", want, 5), path)
		}
	})

	It("admits the addresses on the list that authorization names, and no other", kit.Requirement("GETVPN-AUTHZ-12"), kit.Negative, func(ctx SpecContext) {
		setup := permitted.setup()
		setup.Members = 2
		l := kit.Lab(ctx, setup)
		kit.Reading("GETVPN-AUTHZ-12", "a list of the standard range is read with a destination, of which the source counts")
		admitsTheSecond(ctx, l, "UNAUTHORIZED_IPADDR")
	})

	It("admits the certificates that the filter of authorization names, and no other", kit.Requirement("GETVPN-AUTHZ-13"), kit.Negative, func(ctx SpecContext) {
		setup := lab.Signing(signed, filtered.setup())
		setup.Members, setup.Member = 2, func(i int, c *policy.Member) {
			c.Phase1 = certified(c.Name, []string{"TEST", "GETVPN"}[i-1])
		}
		admitsTheSecond(ctx, kit.Lab(ctx, setup), "UNAUTHORIZED_IDENTITY")
	})
})

// admitsTheSecond has two members ask, of which the key server may admit the second only.
func admitsTheSecond(ctx SpecContext, l *lab.Lab, message string) {
	GinkgoHelper()
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member that is not on the list starts")
	Expect(l.KS.AwaitMessage(ctx, message, 0, lab.Patience)).To(BeTrue(), "the key server tells %s", message)
	Expect(sent(l, 0, "PULL2", l.KS)).To(BeEmpty(), "it offers nothing")
	kit.Precondition(l.GM[1].Start(ctx), "the member that is on the list starts")
	kit.Control(l.GM[1].AwaitRegistered(ctx) == nil, "the member on the list registers")
}

var _ = Describe("A router's configuration of a group member, task by task", kit.Subject("console"), kit.DUT(rule.GM), func() {
	It("proves the subject of its certificate, by which key servers know it", kit.Requirement("GETVPN-AUTHZ-13"), func(ctx SpecContext) {
		kit.Own()
		setup := lab.Signing(signed, filtered.setup())
		setup.Member = func(_ int, c *policy.Member) { c.Phase1 = certified(c.Name, "GETVPN") }
		l := kit.Up(ctx, setup)
		Expect(awaits(ctx, l, 0, "PULL4", l.KS, 1)).To(BeTrue())
	})

	for _, command := range []string{" crypto map svn\n", " crypto map svn redundancy standby stateful\n"} {
		It("is a member while it has the crypto map on its interface: "+strings.TrimSpace(command), kit.Requirement("GETVPN-CFG-05"), func(ctx SpecContext) {
			kit.Own()
			without := strings.Replace(memberText, " crypto map svn\n", "", 1)
			_, _, err := iosconfig.ParseMember("gm.ios", []byte(without), iosconfig.Options{Open: testKeys})
			Expect(err).To(MatchError(ContainSubstring("no interface has the crypto map svn")))
			parsed, _, err := iosconfig.ParseMember("gm.ios", []byte(strings.Replace(memberText, " crypto map svn\n", command, 1)), iosconfig.Options{Open: testKeys})
			Expect(err).NotTo(HaveOccurred())
			l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Members: 2, Hosts: true, Member: func(i int, c *policy.Member) {
				if i == 1 {
					c.Group, c.KeyServers, c.Address = parsed.Group, parsed.KeyServers, parsed.Address
				}
			}})
			kit.Reading("GETVPN-CFG-05", "both forms of the command are taken, and mean the same")
			Expect(kit.SendingSPI(ctx, l, 1, 2)).NotTo(BeZero(), "with the crypto map its hosts' packets are protected")
			before := kit.Now(l)
			kit.Precondition(l.GM[0].Detach(ctx), "the crypto map is taken off the interface")
			Expect(kit.SendingSPI(ctx, l, 1, 2)).To(BeZero(), "the member has left the group")
			Expect(sent(l, before, "PULL1", l.GM[0])).To(BeEmpty(), "and does not ask for it")
			kit.Precondition(l.GM[0].Attach(ctx), "the crypto map is put on it again")
			Expect(awaits(ctx, l, before, "PULL1", l.GM[0], 1)).To(BeTrue(), "the member registers")
		})
	}
})

// signed is Phase 1 with certificates, as the configuration of certified has it.
var signed = policy.Proposal{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA256, Authentication: policy.AuthECDSA256, Group: policy.ECP256}

// certifiedText is what a member has that proves itself by a certificate, according to the guide's task.
const certifiedText = `crypto isakmp identity dn
crypto pki trustpoint GETVPN
 enrollment url http://192.0.2.99:80
 subject-name OU=GETVPN
crypto isakmp policy 1
 encr aes
 hash sha256
 authentication ecdsa-sig
 group 19
`

// certified is Phase 1 of a member with a certificate of that unit.
func certified(name, unit string) policy.Phase1 {
	GinkgoHelper()
	holder := pki.Subject{CN: name, OU: unit, O: "gdoilab"}
	c := lab.Certify(lab.PrivateKey(policy.AuthECDSA256, name), holder)
	open := func(file string) ([]byte, error) {
		switch file {
		case "GETVPN-chain.pem":
			return inPEM("CERTIFICATE", c.Chain...), nil
		case "GETVPN-ca.pem":
			return inPEM("CERTIFICATE", c.Anchors...), nil
		case "GETVPN-key.pem":
			return inPEM("PRIVATE KEY", c.Key), nil
		}
		return nil, fs.ErrNotExist
	}
	begin, end := strings.Index(memberText, "crypto isakmp policy"), strings.Index(memberText, "crypto gdoi group")
	m, _, err := iosconfig.ParseMember("gm.ios", []byte(memberText[:begin]+certifiedText+memberText[end:]), iosconfig.Options{Open: open})
	Expect(err).NotTo(HaveOccurred())
	return m.Phase1
}

func inPEM(kind string, all ...[]byte) []byte {
	var out bytes.Buffer
	for _, der := range all {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return out.Bytes()
}
