package policy_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// fullRouter has a value in each field.
func fullRouter() policy.Router {
	return policy.Router{
		Interfaces: []policy.Interface{{Name: "Ethernet1/0", Address: netip.MustParseAddrPort("192.0.2.2:848")},
			{Name: "Loopback0", Address: netip.MustParseAddrPort("[2001:db8::1]:8848")}},
		NullRoutes: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		Engine:     policy.CryptoEngine{Signing: 2 * time.Second, Registrations: 3},
	}
}

func TestRouter(t *testing.T) {
	r := fullRouter()
	if i := r.At(netip.MustParseAddr("192.0.2.2")); i == nil || i.Name != "Ethernet1/0" || r.At(netip.MustParseAddr("192.0.2.1")) != nil {
		t.Errorf("%+v", i)
	}
	if !r.Drops(netip.MustParseAddr("198.51.100.7")) || !r.Drops(netip.MustParseAddr("::ffff:198.51.100.7")) || r.Drops(netip.MustParseAddr("192.0.2.2")) {
		t.Error("null routes")
	}
}

func TestRouterFaults(t *testing.T) {
	for more, says := range map[string]string{
		"interfaces: [{name: Ethernet1/0, address: 10.0.0.1}]":                     "the key server has the address 10.0.0.1 already",
		"interfaces: [{name: a, address: 10.0.0.5}, {name: b, address: 10.0.0.5}]": "the key server has the address 10.0.0.5 already",
		"interfaces: [{name: a b, address: 10.0.0.5}]":                             "is no name of an interface",
		"interfaces: [{address: 10.0.0.5}]":                                        `the field "name" is missing`,
		"null_routes: [10.0.0.300/24]":                                             "null_routes[0]",
		"crypto_engine: {signing: 2s}":                                             `the field "registrations" is missing`,
		"crypto_engine: {signing: 0s, registrations: 1}":                           "out of range",
	} {
		text := strings.Replace(keyServerYAML, "name: ", "profile: getvpn\n"+more+"\nname: ", 1)
		if _, err := policy.ParseKeyServer("ks.yaml", []byte(text), keys(t)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", more, err, says)
		}
		plain := strings.Replace(text, "profile: getvpn\n", "", 1)
		if _, err := policy.ParseKeyServer("ks.yaml", []byte(plain), keys(t)); err == nil || !strings.Contains(err.Error(), "is for profile getvpn") {
			t.Errorf("%s without the profile: %v", more, err)
		}
	}
}

func TestTellMissed(t *testing.T) {
	m, err := policy.ParseMember("gm.yaml", vendorsMember("rekey: {tell_missed: true}\n"))
	if err != nil || !m.Rekey.TellMissed {
		t.Fatal(m.Rekey, err)
	}
	doc, err := policy.MarshalMember(m)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := policy.ParseMember("gm.yaml", doc); err != nil || again.Rekey != m.Rekey {
		t.Errorf("%+v, %v", again.Rekey, err)
	}
	plain := strings.Replace(memberYAML, "group: 1234\n", "group: 1234\nrekey: {tell_missed: true}\n", 1)
	if _, err := policy.ParseMember("gm.yaml", []byte(plain)); err == nil || !strings.Contains(err.Error(), "tell_missed\" is for profile getvpn") {
		t.Error(err)
	}
}
