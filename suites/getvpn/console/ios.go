package console

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// keyServerText is a key server's configuration as a router has it. Its group protects what the lab's does.
var keyServerText = `hostname ks
crypto isakmp policy 1
 encr aes
 authentication pre-share
 group 14
crypto isakmp key secret address 0.0.0.0
crypto ipsec transform-set t esp-aes esp-sha-hmac
crypto ipsec profile first
 set security-association lifetime seconds 900
 set transform-set t
crypto ipsec profile second
 set security-association lifetime seconds 1800
 set transform-set t
crypto gdoi group lab
 IDENTITY
 server local
  rekey algorithm aes 128
  rekey lifetime seconds 7200
  rekey authentication KEYWORD rsa ks1
  rekey transport unicast
  rekey acknowledgement none
  sa ipsec 2
   profile second
   match address ipv4 icmp
  sa ipsec 1
   profile first
   match address ipv4 udp
  address ipv4 ` + lab.IPv4Family.KeyServerAddress().String() + `
ip access-list extended udp
 permit udp ` + wildcard(lab.Protected) + " " + wildcard(lab.Protected) + `
ip access-list extended icmp
 permit icmp ` + wildcard(lab.Protected) + " " + wildcard(lab.Protected) + `
`

// memberText is that of a member.
var memberText = `hostname gm
crypto isakmp policy 1
 encr aes
 authentication pre-share
 group 14
crypto isakmp key secret address 0.0.0.0
crypto gdoi group lab
 identity number 1234
 server address ipv4 ` + lab.IPv4Family.KeyServerAddress().String() + `
crypto map svn 10 gdoi
 set group lab
interface Ethernet0/0
 ip address ` + lab.IPv4Family.MemberAddress(1).String() + ` 255.255.255.0
 crypto map svn
`

// configured has the key server of a lab follow the groups of a router's configuration.
func configured(ctx SpecContext, identity, keyword string) *lab.Lab {
	GinkgoHelper()
	kit.Own()
	text := strings.NewReplacer("IDENTITY", identity, "KEYWORD", keyword).Replace(keyServerText)
	parsed, warnings, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: testKeys})
	Expect(err).NotTo(HaveOccurred())
	Expect(warnings).To(BeEmpty())
	return kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Members: 2, Hosts: true, Signature: policy.SigRSA, KeyServer: func(c *policy.KeyServer) {
		c.Groups, c.SigningKey = parsed.Groups, parsed.SigningKey
	}})
}

func testKeys(name string) ([]byte, error) {
	if !strings.HasPrefix(name, "ks1") {
		return nil, fs.ErrNotExist
	}
	return fixtures.FS.ReadFile("keys/" + name)
}

var _ = Describe("A router's configuration of a key server", kit.Subject("console"), kit.DUT(rule.KS), func() {
	for _, identity := range []string{"identity number 1234", "identity address ipv4 0.0.4.210"} {
		It("makes a group that members register with: "+identity, kit.Requirement("GETVPN-CFG-02"), func(ctx SpecContext) {
			l := configured(ctx, identity, "mypubkey")
			Expect(awaits(ctx, l, 0, "PULL4", l.KS, 2)).To(BeTrue())
		})
	}

	It("refuses a group that has two identities", kit.Requirement("GETVPN-CFG-02"), func(SpecContext) {
		kit.Own()
		text := strings.NewReplacer("IDENTITY", "identity number 1234\n identity number 1235", "KEYWORD", "mypubkey").Replace(keyServerText)
		_, _, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: testKeys})
		Expect(err).To(MatchError(ContainSubstring("ks.ios:16:1: the group lab has an identity already")))
	})

	It("offers its SAs in the order of their numbers", kit.Requirement("GETVPN-CFG-03"), func(ctx SpecContext) {
		l := configured(ctx, "identity number 1234", "mypubkey")
		offers := sent(l, 0, "PULL2", l.KS)
		kit.Reached(len(offers) > 0, "an offer")
		kit.NeedsKeys(l)
		Expect(leaves(offers[0].Payloads, "Protocol", "SAT")).To(HaveExactElements(ContainSubstring("17"), ContainSubstring("1")), "udp is of the first, icmp of the second")
	})

	for _, keyword := range []string{"mypubkey", "pubkey"} {
		It("signs rekeys with the key that "+keyword+" names", kit.Requirement("GETVPN-CFG-09"), func(ctx SpecContext) {
			l := configured(ctx, "identity number 1234", keyword)
			Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "a member takes a rekey")
		})
	}
})

var _ = Describe("A router's configuration of a group member", kit.Subject("console"), kit.DUT(rule.GM), func() {
	It("binds its group to an interface by a crypto map", kit.Requirement("GETVPN-CFG-04"), func(ctx SpecContext) {
		kit.Own()
		parsed, _, err := iosconfig.ParseMember("gm.ios", []byte(memberText), iosconfig.Options{Open: testKeys})
		Expect(err).NotTo(HaveOccurred())
		l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Member: func(i int, c *policy.Member) {
			c.Group, c.GroupName, c.KeyServers, c.Address = parsed.Group, parsed.GroupName, parsed.KeyServers, parsed.Address
		}})
		Expect(awaits(ctx, l, 0, "PULL4", l.KS, 1)).To(BeTrue())
		Expect(value(types(ctx, l.GM[0], "show crypto gdoi group lab"), "Group Name")).To(Equal("lab"))
	})

	It("refuses a crypto map without a group", kit.Requirement("GETVPN-CFG-04"), func(SpecContext) {
		kit.Own()
		_, _, err := iosconfig.ParseMember("gm.ios", []byte(strings.Replace(memberText, " set group lab\n", "", 1)), iosconfig.Options{Open: testKeys})
		Expect(err).To(MatchError(ContainSubstring("the crypto map svn 10 has no group")))
	})
})

// wildcard is a prefix as access lists have it.
func wildcard(p fmt.Stringer) string {
	network, err := iosconfig.Wildcard(p.String())
	if err != nil {
		return err.Error()
	}
	return network
}

// leaves are the values of the fields of a name below those of another, in their order.
func leaves(fields []capture.Field, name, below string) (all []string) {
	for _, f := range fields {
		if strings.HasPrefix(f.Name, below) {
			all = append(all, named(f.Children, name)...)
		} else {
			all = append(all, leaves(f.Children, name, below)...)
		}
	}
	return all
}

func named(fields []capture.Field, name string) []string {
	i := slices.IndexFunc(fields, func(f capture.Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return []string{fields[i].Value}
}
