package iosconfig_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

const fixtures = "../../fixtures/"

// open finds keys where the fixtures have them.
func open(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(fixtures, "keys", filepath.Base(name)))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(fixtures + "examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTwins: both ways to write a configuration make the same policy.
func TestTwins(t *testing.T) {
	ks, warnings, err := iosconfig.ParseKeyServer("getvpn-ks.ios", read(t, "getvpn-ks.ios"), iosconfig.Options{Open: open})
	twin, err2 := policy.LoadKeyServer(fixtures + "examples/getvpn-ks.yaml")
	if err := errors.Join(err, err2); err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	if diff := difference(t, ks, twin, func(k policy.KeyServer) ([]byte, error) { return policy.MarshalKeyServer(k, "x.pem") }); diff != "" {
		t.Error(diff)
	}
	gm, warnings, err := iosconfig.ParseMember("getvpn-gm1.ios", read(t, "getvpn-gm1.ios"), iosconfig.Options{Open: open})
	twinGM, err2 := policy.LoadMember(fixtures + "examples/getvpn-gm1.yaml")
	if err := errors.Join(err, err2); err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	if diff := difference(t, gm, twinGM, policy.MarshalMember); diff != "" {
		t.Error(diff)
	}
}

// difference compares two policies as they are written.
func difference[T any](t *testing.T, a, b T, write func(T) ([]byte, error)) string {
	t.Helper()
	x, err1 := write(a)
	y, err2 := write(b)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return cmp.Diff(strings.Split(string(y), "\n"), strings.Split(string(x), "\n"))
}

// sample is the configuration of the guide's section about key servers, with the lines that it takes for granted.
const sample = `hostname ks
crypto isakmp policy 1
 encr aes
 authentication pre-share
 group 2
crypto isakmp key secret address 0.0.0.0
crypto ipsec transform-set gdoi-trans esp-aes esp-sha-hmac
crypto ipsec profile gdoi-p
 set security-association lifetime seconds 900
 set transform-set gdoi-trans
crypto gdoi group diffint
 identity number 3333
 server local
 rekey algorithm aes 128
 rekey address ipv4 121
 rekey lifetime seconds 3600
 no rekey retransmit
 rekey authentication mypubkey rsa ks1
 sa ipsec 1
 profile gdoi-p
 match address ipv4 120
 replay counter window-size 3
 address ipv4 10.0.5.2
access-list 120 permit ip host 10.0.1.1 host 239.0.1.1
access-list 121 permit udp host 10.0.5.2 eq 848 host 239.0.1.2 eq 848
`

func TestSample(t *testing.T) {
	k, warnings, err := iosconfig.ParseKeyServer("ks.ios", []byte(sample), iosconfig.Options{Open: open})
	if err != nil || len(warnings) != 1 || warnings[0].Line != 22 {
		t.Fatal(err, warnings)
	}
	g := k.Groups[0]
	if g.ID != 3333 || g.Rekey.KEKLifetime != time.Hour || g.Rekey.KEK != policy.DefaultKEK || g.Rekey.Transport != policy.TransportMulticast || g.Rekey.Retransmit != 0 ||
		g.Rekey.Address.String() != "239.0.1.2:848" || k.Address.String() != "10.0.5.2:848" {
		t.Errorf("%+v", g)
	}
	sa := g.SAs[0]
	if sa.Lifetime != 900*time.Second || sa.AntiReplay.Counter != 32 || sa.Transform.Name() != "aes128-cbc-hmac-sha1" || sa.AccessList[0].Selector.String() != "10.0.1.1/32 -> 239.0.1.1/32" {
		t.Errorf("%+v", sa)
	}
	if p := k.Phase1; !p.AllowWeak || p.Proposals[0].Group != policy.MODP1024 || p.Proposals[0].Hash != policy.Phase1SHA1 || !p.PSKs[0].Peer.Contains(k.Address.Addr()) {
		t.Errorf("%+v", p)
	}
}

// TestVariants changes one line of the sample, and looks at what the policy has then.
func TestVariants(t *testing.T) {
	for _, c := range []struct {
		old, by string
		holds   func(policy.KeyServer) bool
	}{
		{"identity number 3333", "identity address ipv4 10.1.2.3", func(k policy.KeyServer) bool { return k.Groups[0].ID == 10<<24|1<<16|2<<8|3 }},
		{"crypto gdoi group", "crypto gkm group", func(k policy.KeyServer) bool { return k.Groups[0].Name == "diffint" }},
		{"mypubkey", "pubkey", func(k policy.KeyServer) bool { return len(k.SigningKey) > 0 }},
		{"address ipv4 10.0.5.2", "address 10.0.5.2", func(k policy.KeyServer) bool { return k.Address.Addr().String() == "10.0.5.2" }},
		{" rekey algorithm aes 128\n", "", func(k policy.KeyServer) bool { return k.Groups[0].Rekey.KEK.Cipher == policy.KEK3DES }},
		{"no rekey retransmit", "rekey transport unicast", func(k policy.KeyServer) bool {
			return k.Groups[0].Rekey.Transport == policy.TransportUnicast && k.Groups[0].Rekey.Ack == policy.AckKEKSHA256
		}},
		{" rekey authentication mypubkey rsa ks1\n", "", func(k policy.KeyServer) bool { return k.Groups[0].Rekey.Transport == policy.TransportNone }},
		{"no rekey retransmit", "sa receive-only", func(k policy.KeyServer) bool { return k.Groups[0].ReceiveOnly }},
		{"no rekey retransmit", "rekey retransmit 20 number 3", func(k policy.KeyServer) bool {
			return k.Groups[0].Rekey.Interval == 20*time.Second && k.Groups[0].Rekey.Retransmit == 3
		}},
		{"no rekey retransmit", "rekey sig-hash algorithm sha512", func(k policy.KeyServer) bool { return k.Groups[0].Rekey.SigHash == policy.SigHashSHA512 }},
		{"replay counter window-size 3", "replay time window-size 5", func(k policy.KeyServer) bool {
			return k.Groups[0].SAs[0].AntiReplay == policy.AntiReplay{Method: policy.ReplayTime, Window: 5 * time.Second}
		}},
		{"replay counter window-size 3", "no replay", func(k policy.KeyServer) bool { return k.Groups[0].SAs[0].AntiReplay.Method == policy.ReplayNone }},
		{"replay counter window-size 3", "tag cts sgt", func(k policy.KeyServer) bool { return k.Groups[0].SAs[0].Tag }},
		{" sa ipsec 1", " sa ipsec 2\n profile gdoi-p\n match address ipv4 122\n sa ipsec 1", func(k policy.KeyServer) bool {
			return len(k.Groups[0].SAs) == 2 && k.Groups[0].SAs[1].AccessList[0].Selector.Protocol == 88
		}},
		{"no rekey retransmit", "authorization identity names", func(k policy.KeyServer) bool {
			ids := *k.Groups[0].Authorization.Identities
			return len(ids) == 1 && ids[0].String() == "subject:CN=gm1,O=example"
		}},
		{"no rekey retransmit", "identifier\n range 1 - 99\n exit", func(k policy.KeyServer) bool { return k.Groups[0].SIDRange == policy.SIDRange{First: 1, Last: 99} }},
		{"no rekey retransmit", "rekey transport unicast\n rekey retransmit 30 periodic", func(k policy.KeyServer) bool {
			return k.Groups[0].Rekey.Reminders && k.Groups[0].Rekey.Interval == 30*time.Second && k.Groups[0].Rekey.Retransmit == 0
		}},
		{"set security-association lifetime seconds 900", "set security-association lifetime days 30", func(k policy.KeyServer) bool {
			return k.Groups[0].SAs[0].Lifetime == policy.LongestLifetime
		}},
		{"rekey lifetime seconds 3600", "rekey lifetime days 30", func(k policy.KeyServer) bool { return k.Groups[0].Rekey.KEKLifetime == policy.LongestLifetime }},
		{"crypto ipsec profile", "crypto ipsec security-association lifetime seconds 7200\ncrypto ipsec profile", func(k policy.KeyServer) bool {
			return k.Groups[0].SAs[0].Lifetime == 900*time.Second
		}},
		{" set security-association lifetime seconds 900\n", "crypto ipsec security-association lifetime seconds 7200\ncrypto ipsec profile gdoi-p\n", func(k policy.KeyServer) bool {
			return k.Groups[0].SAs[0].Lifetime == 2*time.Hour
		}},
		{" address ipv4 10.0.5.2\n", "", func(k policy.KeyServer) bool { return k.Address.Addr().String() == "10.0.5.2" }},
		{"secret address 0.0.0.0", "secret address 10.1.0.0 255.255.0.0", func(k policy.KeyServer) bool { return k.Phase1.PSKs[0].Peer.String() == "10.1.0.0/16" }},
	} {
		text := strings.Replace(sample, c.old, c.by, 1) + "access-list 122 permit eigrp any any\ncrypto identity names\n dn CN=gm1, o=example\n"
		k, _, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: open})
		if err != nil || !c.holds(k) {
			t.Errorf("%s: %v", c.by, err)
		}
	}
}

// TestFaults: what is wrong is said with its line.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ old, by, want string }{
		{"no rekey retransmit", "rekey nonsense", `ks.ios:17:1: unknown command "rekey nonsense"`},
		{"no rekey retransmit", "redundancy\n local priority 10", `ks.ios:17:1: the policy has no field for "redundancy"`},
		{"no rekey retransmit", "gikev2 p", `ks.ios:17:1: the policy has no field for "gikev2 p"`},
		{"identity number 3333", "identity number 0", `ks.ios:12:1: "0" is no number from 1 to`},
		{"identity number 3333", "identity number 3333\n identity address ipv4 10.0.0.1", "ks.ios:13:1: the group diffint has an identity already"},
		{" identity number 3333\n", "", "ks.ios:11:1: the group diffint has no identity"},
		{"profile gdoi-p\n match", "profile other\n match", `ks.ios:19:1: the SA 1 is incomplete: there is no "crypto ipsec profile other"`},
		{" match address ipv4 120\n", "", "ks.ios:19:1: the SA 1 is incomplete: it needs a profile"},
		{"set transform-set gdoi-trans", "set transform-set other", `ks.ios:10:1: the profile gdoi-p is incomplete`},
		{"esp-aes esp-sha-hmac", "esp-des", "ks.ios:7:1: the transform esp-des is not known here"},
		{"esp-aes esp-sha-hmac", "esp-aes", "ks.ios:7:1: these transforms do not go together"},
		{"encr aes", "encr des", "ks.ios:3:1: the cipher des is not known here"},
		{" encr aes\n", "", "ks.ios:2:1: the ISAKMP policy 1 has no encr"},
		{"group 2", "group 99", `ks.ios:5:1: "99" is not known here`},
		{" authentication pre-share\n", "", `ks.ios:2:1: Phase 1 is checked with signatures, and there is no "crypto pki trustpoint"`},
		{"rsa ks1", "rsa lost", "ks.ios:18:1: the key lost cannot be read"},
		{"match address ipv4 120", "match address ipv4 999", "ks.ios:19:1: the SA 1 is incomplete: there is no access list 999"},
		{"rekey address ipv4 121", "rekey address ipv4 120\n no rekey transport unicast", ""},
		{"access-list 121 permit udp host 10.0.5.2 eq 848 host 239.0.1.2 eq 848", "access-list 121 permit udp any any", "no entry of the access list 121 names a multicast group"},
		{" rekey address ipv4 121\n", "", `no "rekey address ipv4" says where to`},
		{"access-list 120 permit ip host 10.0.1.1 host 239.0.1.1", "access-list 120 permit ip 10.0.0.0 0.255.0.255 any", "ks.ios:24:1: the mask 0.255.0.255 is not one of a prefix"},
		{"access-list 120 permit ip host 10.0.1.1 host 239.0.1.1", "access-list 120 allow any", "ks.ios:24:1: an entry begins with permit or deny"},
		{"access-list 120 permit ip host 10.0.1.1 host 239.0.1.1", "access-list 120 permit udp any any eq nothing", `ks.ios:24:1: "nothing" is no port`},
		{"hostname ks\n", "", `there is no "hostname"`},
		{"esp-aes esp-sha-hmac", "esp-aes esp-sha-hmac comp-lzs", `ks.ios:7:1: the policy has no field for "comp-lzs" in a transform set of ESP`},
		{"esp-aes esp-sha-hmac", "esp-aes 256 ah-sha-hmac esp-sha-hmac comp-lzs esp-null", "ks.ios:7:1: a transform set has one to 4 transforms"},
		{"set security-association lifetime seconds 900", "set security-association lifetime seconds x", `ks.ios:9:1: "x" is no number`},
	} {
		_, _, err := iosconfig.ParseKeyServer("ks.ios", []byte(strings.Replace(sample, c.old, c.by, 1)), iosconfig.Options{Open: open})
		if c.want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || c.want == "" {
			t.Errorf("%s: %v, want %s", c.by, err, c.want)
		}
	}
}

// Without an address of its own, rekeys by unicast have nowhere to come from.
func TestNoAddress(t *testing.T) {
	text := strings.Replace(sample, " address ipv4 10.0.5.2\n", " rekey transport unicast\n", 1)
	_, _, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: open})
	if err == nil || !strings.Contains(err.Error(), `the group diffint has no "address ipv4"`) {
		t.Error(err)
	}
}

// Of a set with more than there are fields for, the encryption and the integrity of ESP are kept.
func TestFourTransforms(t *testing.T) {
	text := strings.Replace(sample, "esp-aes esp-sha-hmac", "ah-sha-hmac esp-aes 256 esp-sha-hmac comp-lzs", 1)
	k, warnings, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: open, Lenient: true})
	if err != nil || len(warnings) != 3 || k.Groups[0].SAs[0].Transform.Name() != "aes256-cbc-hmac-sha1" {
		t.Errorf("%v, %v", warnings, err)
	}
}

// TestLenient: what is not known is a warning then, and everything else is read.
func TestLenient(t *testing.T) {
	text := strings.Replace(sample, "no rekey retransmit", "redundancy\n local priority 10\n nonsense", 1)
	k, warnings, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: open, Lenient: true})
	if err != nil || len(warnings) != 3 || warnings[0].Line != 17 || warnings[1].Line != 19 || k.Groups[0].ID != 3333 {
		t.Errorf("%v, %v", warnings, err)
	}
}

// TestIncomplete: of what is incomplete there is a warning then, and it is left out.
func TestIncomplete(t *testing.T) {
	for _, missing := range []string{"crypto ipsec profile gdoi-p", "crypto ipsec transform-set gdoi-trans", "access-list 120"} {
		text := strings.Replace(sample, missing, missing+"x", 1)
		k, warnings, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: open, Lenient: true})
		if err != nil || !strings.Contains(warnings.Error(), "is incomplete") || len(k.Groups[0].SAs) != 0 {
			t.Errorf("%s: %v, %v", missing, warnings, err)
		}
	}
}

// TestRegistrationInterface: the other interfaces are not for registrations.
func TestRegistrationInterface(t *testing.T) {
	text := strings.Replace(sample, "no rekey retransmit", "registration interface Ethernet0/0", 1) +
		"interface Ethernet0/0\n ip address 10.0.5.2 255.255.255.0\ninterface Ethernet1/0\n ip address 10.0.6.2 255.255.255.0\n" +
		"ip route 198.51.100.0 255.255.255.0 Null0\nip route 0.0.0.0 0.0.0.0 10.0.5.1\n"
	k, _, err := iosconfig.ParseKeyServer("ks.ios", []byte(text), iosconfig.Options{Open: open})
	if err != nil || len(k.Router.Interfaces) != 1 || k.Router.Interfaces[0].Name != "Ethernet1/0" || k.Router.Interfaces[0].Address.String() != "10.0.6.2:848" {
		t.Errorf("%+v, %v", k.Router, err)
	}
	if len(k.Router.NullRoutes) != 1 || k.Router.NullRoutes[0].String() != "198.51.100.0/24" {
		t.Errorf("%+v", k.Router.NullRoutes)
	}
	for _, wrong := range []string{"registration interface Ethernet1/0", "registration interface Serial0"} {
		if _, _, err := iosconfig.ParseKeyServer("ks.ios", []byte(strings.Replace(text, "registration interface Ethernet0/0", wrong, 1)), iosconfig.Options{Open: open}); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

// TestSubject: a member that is the subject of its certificate needs one.
func TestSubject(t *testing.T) {
	_, _, err := iosconfig.ParseMember("gm.ios", []byte(member+"crypto isakmp identity dn\n"), iosconfig.Options{Open: open})
	if err == nil || !strings.Contains(err.Error(), "no ISAKMP policy has one") {
		t.Error(err)
	}
}

const member = `hostname gm
crypto isakmp policy 1
 encr aes
 authentication pre-share
 group 14
crypto isakmp key secret address 10.0.8.1
crypto gdoi group one
 identity number 1
 server address ipv4 10.0.8.1
 passive
crypto gdoi group two
 identity number 2
 server address ipv4 10.0.8.1
crypto map m 20 gdoi
 set group two
crypto map m 10 gdoi
 set group one
interface Loopback0
 ip address 10.9.9.9 255.255.255.255
interface Ethernet0/0
 ip address 10.0.3.1 255.255.255.0
 crypto map m redundancy hot stateful
interface Ethernet1/0
 ip address 10.0.1.2 255.255.255.0
track 99 stub-object
 default-state up
`

// In each VRF that has an interface with a crypto map there is a member, with the addresses that it has there.
func TestVRFs(t *testing.T) {
	apart := strings.NewReplacer(
		"hostname gm\n", "hostname gm\nvrf definition red\n rd 1:1\n address-family ipv4\n exit-address-family\nip vrf blue\n rd 2:2\n",
		"crypto map m 20", "crypto map n 20",
		" ip address 10.0.3.1 255.255.255.0\n crypto map m redundancy hot stateful\n", " vrf forwarding red\n ip address 10.0.3.1 255.255.255.0\n crypto map m\n",
		"interface Ethernet1/0\n", "interface Ethernet1/0\n vrf forwarding red\n",
	).Replace(member) + "interface Ethernet2/0\n ip vrf forwarding blue\n ip address 10.0.3.1 255.255.255.0\n crypto map n\n" +
		"interface Ethernet3/0\n ip vrf forwarding blue\n ip address 10.0.7.1 255.255.255.0\n"
	m, _, err := iosconfig.ParseMember("gm.ios", []byte(apart), iosconfig.Options{Open: open})
	if err != nil || len(m.VRFs) != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, c := range []struct {
		one    policy.Member
		vrf    string
		group  uint32
		inside string
	}{{m, "red", 1, "10.0.1.0/24"}, {m.VRFs[0], "blue", 2, "10.0.7.0/24"}} {
		if c.one.VRF != c.vrf || c.one.Namespace != "/run/netns/"+c.vrf || c.one.Group != c.group || c.one.Address.String() != "10.0.3.1:848" ||
			len(c.one.Inside) != 1 || c.one.Inside[0].String() != c.inside {
			t.Errorf("%s: %+v", c.vrf, c.one)
		}
	}
	if text, err := policy.MarshalMember(m); err != nil {
		t.Error(err)
	} else if _, err := policy.ParseMember("gm.yaml", text); err != nil {
		t.Error(err)
	}
	tracked := strings.Replace(apart, "crypto gdoi group two\n identity number 2\n", "crypto gdoi group two\n identity number 2\n client status active-sa track 99\n", 1)
	if _, _, err := iosconfig.ParseMember("gm.ios", []byte(tracked), iosconfig.Options{Open: open}); err == nil || !strings.Contains(err.Error(), "the VRF blue") {
		t.Error(err)
	}
}

// A group without a key server is one that the member cannot register with, and no fault of the configuration.
func TestNoKeyServer(t *testing.T) {
	alone := strings.NewReplacer(" server address ipv4 10.0.8.1\n", "", "crypto map m 20 gdoi\n set group two\n", "").Replace(member)
	m, _, err := iosconfig.ParseMember("gm.ios", []byte(alone), iosconfig.Options{Open: open})
	if err != nil || m.Group != 1 || len(m.KeyServers) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

// An object follows the active SA if it is there.
func TestTrack(t *testing.T) {
	follows := strings.Replace(member, " server address ipv4 10.0.8.1\ncrypto map m 20", " server address ipv4 10.0.8.1\n client status active-sa track 99\ncrypto map m 20", 1)
	for object, want := range map[string]*policy.Track{
		" default-state up\n": {Number: 99}, " delay up 60\n": {Number: 99, DelayUp: time.Minute},
		" delay up 60 down 5\n": {Number: 99, DelayUp: time.Minute, DelayDown: 5 * time.Second}, " delay down 5\n": {Number: 99, DelayDown: 5 * time.Second},
	} {
		m, _, err := iosconfig.ParseMember("gm.ios", []byte(strings.Replace(follows, " default-state up\n", object, 1)), iosconfig.Options{Open: open})
		if err != nil || m.Groups[0].Track != nil || !reflect.DeepEqual(m.Groups[1].Track, want) {
			t.Errorf("%q: %+v, %v", object, m.Groups, err)
		}
	}
	for _, other := range []string{"track 98 stub-object", "track 99 interface Ethernet0/0 line-protocol"} {
		m, _, err := iosconfig.ParseMember("gm.ios", []byte(strings.Replace(follows, "track 99 stub-object", other, 1)), iosconfig.Options{Open: open})
		if err != nil || m.Groups[1].Track != nil {
			t.Errorf("%s: %+v, %v", other, m.Groups, err)
		}
	}
}

// TestLog: the log goes where the configuration says, as a router writes it.
func TestLog(t *testing.T) {
	for typed, want := range map[string]policy.LogReceiver{
		"logging host 10.0.8.9\n":                         {Network: policy.LogUDP, Address: netip.MustParseAddrPort("10.0.8.9:514"), Format: policy.LogRFC3164},
		"logging host 10.0.8.9 transport udp port 5514\n": {Network: policy.LogUDP, Address: netip.MustParseAddrPort("10.0.8.9:5514"), Format: policy.LogRFC3164},
		"logging host 10.0.8.9 transport tcp port 601\n":  {Network: policy.LogTCP, Address: netip.MustParseAddrPort("10.0.8.9:601"), Format: policy.LogRFC3164, Framing: policy.FrameByLineFeed},
		"logging buffered 4096\n":                         {},
	} {
		m, _, err1 := iosconfig.ParseMember("gm.ios", []byte(member+typed), iosconfig.Options{Open: open})
		k, _, err2 := iosconfig.ParseKeyServer("ks.ios", []byte(sample+typed), iosconfig.Options{Open: open})
		if m.Log != want || k.Log != want || err1 != nil || err2 != nil {
			t.Errorf("%s: %+v, %+v, %v, %v", typed, m.Log, k.Log, err1, err2)
		}
	}
	for _, typed := range []string{"logging host there", "logging host 10.0.8.9 transport sctp port 1", "logging host 10.0.8.9 transport udp port 0"} {
		if _, _, err := iosconfig.ParseMember("gm.ios", []byte(member+typed), iosconfig.Options{Open: open}); err == nil {
			t.Errorf("%s: no error", typed)
		}
	}
}

func TestMember(t *testing.T) {
	m, _, err := iosconfig.ParseMember("gm.ios", []byte(member), iosconfig.Options{Open: open})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Groups) != 2 || m.Groups[0].GroupName != "one" || !m.Groups[0].Passive || m.Groups[1].Group != 2 || m.Address.String() != "10.0.3.1:848" ||
		len(m.Inside) != 2 || m.Inside[1].String() != "10.0.1.0/24" {
		t.Errorf("%+v", m)
	}
	m, _, err = iosconfig.ParseMember("gm.ios", []byte(member+"crypto map m local-address Loopback0\n"), iosconfig.Options{Open: open})
	if err != nil || m.Address.Addr().String() != "10.9.9.9" || len(m.Inside) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	joined := member + "interface Gi9\n ip address 10.7.7.1 255.255.255.0\n" +
		" ip igmp join-group 239.1.1.1\n ip igmp join-group 239.1.1.2 source 10.0.8.1\n"
	m, _, err = iosconfig.ParseMember("gm.ios", []byte(joined), iosconfig.Options{Open: open})
	want := []policy.Stream{{Group: netip.MustParseAddr("239.1.1.1"), Interface: "Gi9"},
		{Group: netip.MustParseAddr("239.1.1.2"), Interface: "Gi9", Source: netip.MustParseAddr("10.0.8.1")}}
	if err != nil || !reflect.DeepEqual(m.Joins, want) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, wrong := range [][3]string{{"239.1.1.1", "10.1.1.1", "10.1.1.1 is no multicast address"}, {"source 10.0.8.1", "source 239.1.1.9", "239.1.1.9 sends nothing to 239.1.1.2"},
		{"source 10.0.8.1", "source 2001:db8::1", "2001:db8::1 sends nothing to 239.1.1.2"}} {
		_, _, err = iosconfig.ParseMember("gm.ios", []byte(strings.Replace(joined, wrong[0], wrong[1], 1)), iosconfig.Options{Open: open})
		if err == nil || !strings.Contains(err.Error(), wrong[2]) {
			t.Error(err)
		}
	}
	limited := strings.Replace(member, " passive\n", " client rekey encryption aes 256 3des-cbc\n client rekey hash sha256 sha512\n client transform-sets strong\n", 1) +
		"crypto ipsec transform-set strong esp-gcm 256\n"
	m, _, err = iosconfig.ParseMember("gm.ios", []byte(limited), iosconfig.Options{Open: open})
	if err != nil || len(m.Client.Ciphers) != 2 || m.Client.Ciphers[0].KeyBits != 256 || len(m.Client.Hashes) != 2 || m.Client.Transforms[0].Name() != "aes256-gcm16" {
		t.Errorf("%+v, %v", m.Client, err)
	}
	named := strings.NewReplacer("identity number 1\n server address ipv4 10.0.8.1", "identity number 1\n server address ipv4 KS1.example",
		"secret address 10.0.8.1", "secret address 0.0.0.0").Replace(member)
	m, _, err = iosconfig.ParseMember("gm.ios", []byte(named+"ip host ks1.example 10.0.8.7\n"), iosconfig.Options{Open: open})
	if err != nil || m.Groups[0].KeyServers[0].String() != "10.0.8.7:848" {
		t.Errorf("%+v, %v", m.Groups, err)
	}
	lookup := iosconfig.Options{Open: open, Resolve: func(name string) (netip.Addr, error) {
		if name != "KS1.example" {
			return netip.Addr{}, errors.New("no such host")
		}
		return netip.AddrFrom4([4]byte{10, 0, 8, 9}), nil
	}}
	m, _, err = iosconfig.ParseMember("gm.ios", []byte(named), lookup)
	if err != nil || m.Groups[0].KeyServers[0].String() != "10.0.8.9:848" {
		t.Errorf("%+v, %v", m.Groups, err)
	}
	if _, _, err = iosconfig.ParseMember("gm.ios", []byte(strings.Replace(named, "KS1", "KS2", 1)), lookup); err == nil ||
		!strings.Contains(err.Error(), "gm.ios:9:1: the key server KS2.example has no address: no such host") {
		t.Error(err)
	}
	permits := strings.Replace(member, " set group two", " set group two\n match address own\naccess-list own permit ip any any", 1)
	m, warnings, err := iosconfig.ParseMember("gm.ios", []byte(permits), iosconfig.Options{Open: open})
	if err != nil || len(m.AccessList) != 1 || m.AccessList[0].Deny || len(warnings) != 1 || warnings[0].Line != 16 || !strings.Contains(warnings[0].Text, "the access list own has a permit entry") {
		t.Errorf("%+v, %v, %v", m.AccessList, warnings, err)
	}
	for _, c := range []struct{ old, by, want string }{
		{"server address ipv4 10.0.8.1", "server address ipv4 ks1.example", `gm.ios:9:1: "ks1.example" is no address, and no "ip host" has it`},
		{" passive\n", " client transform-sets none\n", "gm.ios:10:1: there is no \"crypto ipsec transform-set none\""},
		{" set group two", " set group three", "gm.ios:14:1: the crypto map m 20 has no group that is there"},
		{" crypto map m redundancy hot stateful\n", "", "no interface has the crypto map m"},
		{" identity number 2\n", "", "gm.ios:11:1: the group two has no identity"},
		{" passive\n", " client pfs\n", `gm.ios:10:1: the policy has no field for "client pfs"`},
		{" ip address 10.0.3.1 255.255.255.0\n", "", "the interface Ethernet0/0 has no address"},
		{" passive\n", strings.Repeat(" server address ipv4 10.0.8.2\n", 8), "gm.ios:17:1: a member has at most 8 key servers"},
	} {
		_, _, err := iosconfig.ParseMember("gm.ios", []byte(strings.Replace(member, c.old, c.by, 1)), iosconfig.Options{Open: open})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.by, err, c.want)
		}
	}
}

// FuzzParse: every text is read or is an error with a place in it.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(member))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := iosconfig.Options{Lenient: len(data)%2 == 0}
		if k, _, err := iosconfig.ParseKeyServer("x", data, o); err == nil && len(k.Groups) == 0 {
			t.Error("a key server without a group")
		}
		if m, _, err := iosconfig.ParseMember("x", data, o); err == nil && !m.Address.IsValid() {
			t.Error("a member without an address")
		}
	})
}

// TestTruncated cuts the configurations after every line: nothing panics, and every problem has a place in the text.
func TestTruncated(t *testing.T) {
	for _, text := range []string{sample, member} {
		for i := range strings.Count(text, "\n") {
			cut := strings.Join(strings.SplitAfter(text, "\n")[:i], "")
			var problems yamldoc.Problems
			_, _, err1 := iosconfig.ParseKeyServer("x", []byte(cut), iosconfig.Options{Open: open})
			_, _, err2 := iosconfig.ParseMember("x", []byte(cut), iosconfig.Options{Open: open})
			if errors.As(errors.Join(err1, err2), &problems) && problems[0].Line > max(i, 1) {
				t.Errorf("%v", problems)
			}
		}
	}
}
