package console

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// written is a key server's configuration as a router has it.
type written string

// as has other words in it; of each pair the second takes the place of the first.
func (w written) as(pairs ...string) written {
	return written(strings.NewReplacer(pairs...).Replace(string(w)))
}

// parsed reads it as a router does, which takes what is incomplete and says so.
func (w written) parsed() (policy.KeyServer, yamldoc.Problems) {
	GinkgoHelper()
	k, warnings, err := iosconfig.ParseKeyServer("ks.ios", []byte(w), iosconfig.Options{Open: testKeys, Lenient: true})
	Expect(err).NotTo(HaveOccurred())
	return k, warnings
}

// groups have a key server follow what the configuration says of groups.
func (w written) groups() func(*policy.KeyServer) {
	GinkgoHelper()
	k, _ := w.parsed()
	return func(c *policy.KeyServer) { c.Groups, c.SigningKey = k.Groups, k.SigningKey }
}

// setup is a network whose key server follows it.
func (w written) setup() lab.Setup {
	GinkgoHelper()
	kit.Own()
	return lab.Setup{Profile: policy.ProfileGETVPN, Hosts: true, Signature: policy.SigRSA, KeyServer: w.groups()}
}

// follows has the key server follow another configuration from now on, and reports whether a rekey leaves at once.
func follows(ctx SpecContext, l *lab.Lab, w written) bool {
	GinkgoHelper()
	since := kit.Now(l)
	_, err := l.KS.Configure(ctx, w.groups())
	kit.Precondition(err, "the key server takes another configuration while it runs")
	return l.Wait(ctx, atOnce, func() bool { return len(sent(l, since, "PUSH", l.KS)) > 0 })
}

// atOnce is how long a rekey may take that a change calls for.
const atOnce = 2 * time.Second

// unicast and multicast are key servers of the lab's group.
var (
	unicast   = written(keyServerText).as("IDENTITY", "identity number 1234", "KEYWORD", "mypubkey")
	multicast = unicast.as("rekey transport unicast", "rekey address ipv4 121") + written(
		"access-list 121 permit udp host "+lab.KeyServerAddr.String()+" eq 848 host "+lab.MulticastGroup.String()+" eq 848\n")
)
