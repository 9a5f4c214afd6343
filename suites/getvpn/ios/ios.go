package ios

import (
	"io/fs"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// keyServer is a key server of the lab's group that rekeys by unicast.
var keyServer = `hostname ks
crypto isakmp policy 1
 encr aes
 authentication pre-share
 group 14
crypto isakmp key secret address 0.0.0.0
crypto ipsec transform-set t esp-aes esp-sha-hmac
crypto ipsec profile p
 set security-association lifetime seconds 2700
 set transform-set t
crypto gdoi group lab
 identity number 1234
 server local
  rekey algorithm aes 128
  rekey lifetime seconds 14400
  rekey authentication mypubkey rsa ks1
  rekey transport unicast
  rekey acknowledgement none
  sa ipsec 1
   profile p
   match address ipv4 103
  address ipv4 ` + lab.IPv4Family.KeyServerAddress().String() + `
access-list 103 permit ip ` + Network() + " " + Network() + `
access-list 121 permit udp host ` + lab.IPv4Family.KeyServerAddress().String() + ` eq 848 host ` + lab.IPv4Family.Group().String() + ` eq 848
`

// member is a member of it.
var member = `hostname gm
crypto isakmp policy 1
 encr aes
 authentication pre-share
 group 14
crypto isakmp key secret address 0.0.0.0
ip host ks.lab ` + lab.IPv4Family.KeyServerAddress().String() + `
crypto gdoi group lab
 identity number 1234
 server address ipv4 ` + lab.IPv4Family.KeyServerAddress().String() + `
crypto map svn 10 gdoi
 set group lab
interface Ethernet0/0
 ip address ` + lab.IPv4Family.MemberAddress(1).String() + ` 255.255.255.0
 crypto map svn
`

// Network is what the lab's group protects, as access lists have it.
func Network() string {
	text, err := iosconfig.Wildcard(lab.Protected.String())
	if err != nil {
		return err.Error()
	}
	return text
}

// ReadKeyServer reads the configuration of a key server, leniently, in which each text is replaced by the one behind it.
func ReadKeyServer(replaced ...string) (policy.KeyServer, yamldoc.Problems, error) {
	GinkgoHelper()
	kit.Own()
	return iosconfig.ParseKeyServer("ks.ios", altered(keyServer, replaced), iosconfig.Options{Open: testKeys, Lenient: true})
}

// KeyServer is ReadKeyServer of a configuration in which nothing is wrong, as a change of the lab's key server: of its groups, its key and
// its address.
func KeyServer(replaced ...string) func(*policy.KeyServer) {
	GinkgoHelper()
	parsed, _, err := ReadKeyServer(replaced...)
	Expect(err).NotTo(HaveOccurred(), "the configuration of the key server")
	return func(c *policy.KeyServer) {
		c.Groups, c.SigningKey, c.Address = parsed.Groups, parsed.SigningKey, parsed.Address
	}
}

// Member is KeyServer for the first member of a lab.
func Member(replaced ...string) func(int, *policy.Member) {
	GinkgoHelper()
	kit.Own()
	parsed, warnings, err := iosconfig.ParseMember("gm.ios", altered(member, replaced), iosconfig.Options{Open: testKeys})
	Expect(err).NotTo(HaveOccurred(), "the configuration of the member")
	Expect(warnings).To(BeEmpty())
	return func(i int, c *policy.Member) {
		if i == 1 {
			c.Group, c.GroupName, c.KeyServers, c.Address = parsed.Group, parsed.GroupName, parsed.KeyServers, parsed.Address
			c.Passive, c.FailClose, c.AccessList, c.Client = parsed.Passive, parsed.FailClose, parsed.AccessList, parsed.Client
		}
	}
}

// altered replaces texts that have to be there.
func altered(text string, replaced []string) []byte {
	GinkgoHelper()
	for i := 0; i+1 < len(replaced); i += 2 {
		Expect(text).To(ContainSubstring(replaced[i]))
		text = strings.Replace(text, replaced[i], replaced[i+1], 1)
	}
	return []byte(text)
}

func testKeys(name string) ([]byte, error) {
	if !strings.HasPrefix(name, "ks1") {
		return nil, fs.ErrNotExist
	}
	return fixtures.FS.ReadFile("keys/" + name)
}
