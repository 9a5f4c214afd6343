package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func aceOf(deny bool, source, destination string, protocol uint8, ports ...uint16) policy.ACE {
	s := policy.Selector{Source: prefix(source), Destination: prefix(destination), Protocol: protocol}
	if len(ports) == 2 {
		s.SourcePort, s.DestinationPort = ports[0], ports[1]
	}
	return policy.ACE{Deny: deny, Selector: s}
}

// vendorPolicy has what only the profile of GET VPN knows of changes and access lists.
func vendorPolicy(t *testing.T) (policy.KeyServer, policy.Member) {
	t.Helper()
	k := fullKeyServer(t)
	k.Groups[0].DenyProtocol = 201
	k.Groups[0].SAs = []policy.SAPolicy{{
		AccessList: []policy.ACE{
			aceOf(true, "0.0.0.0/0", "0.0.0.0/0", 89), aceOf(true, "0.0.0.0/0", "0.0.0.0/0", 17, 848, 848),
			aceOf(true, "0.0.0.0/0", "0.0.0.0/0", 88), aceOf(false, "10.0.0.0/8", "10.0.0.0/8", 0),
		},
		IPsecProfile: "gdoi-p1",
		Transform:    policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel, Preservation: policy.PreserveBoth},
	}}
	m, err := policy.ParseMember("gm.yaml", []byte(memberYAML))
	if err != nil {
		t.Fatal(err)
	}
	m.Profile, m.DenyProtocol = policy.ProfileGETVPN, 201
	m.AccessList = []policy.ACE{aceOf(true, "10.1.0.1/32", "10.2.0.1/32", 0), aceOf(false, "10.1.0.0/16", "10.3.0.0/16", 6, 0, 23)}
	return k, m
}

func TestAccessListRoundTrip(t *testing.T) {
	k, m := vendorPolicy(t)
	data, err := policy.MarshalKeyServer(k, string(policy.SigningKeyPEM(k)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := policy.ParseKeyServer("ks.yaml", data, keys(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if d := cmp.Diff(k.Groups[0], got.Groups[0], cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if data, err = policy.MarshalMember(m); err != nil {
		t.Fatal(err)
	}
	again, err := policy.ParseMember("gm.yaml", data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if again.DenyProtocol != m.DenyProtocol || !cmp.Equal(again.AccessList, m.AccessList, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })) {
		t.Errorf("%+v after %+v", again.AccessList, m.AccessList)
	}
}

// A whole document needs no other file: the signing key may stand in it.
func TestSigningKeyInTheDocument(t *testing.T) {
	k := fullKeyServer(t)
	data, err := policy.MarshalKeyServer(k, string(policy.SigningKeyPEM(k)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := policy.ParseKeyServer("ks.yaml", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.SigningKey) != string(k.SigningKey) {
		t.Error("another signing key")
	}
	broken := strings.Replace(string(data), "PRIVATE KEY-----\n", "PRIVATE KEY-----\n!", 1)
	if _, err := policy.ParseKeyServer("ks.yaml", []byte(broken), nil); err == nil {
		t.Error("a PEM that is none was read")
	}
}

func TestAccessListsAreOfTheProfile(t *testing.T) {
	k, m := vendorPolicy(t)
	k.Profile, m.Profile = policy.ProfileRFC6407, policy.ProfileRFC6407
	data, err := policy.MarshalKeyServer(k, string(policy.SigningKeyPEM(k)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = policy.ParseKeyServer("ks.yaml", data, keys(t))
	for _, want := range []string{`the field "access_list" of SA 1 is for profile getvpn`, `"ipsec_profile" of SA 1`, `"deny_protocol" is for`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if data, err = policy.MarshalMember(m); err != nil {
		t.Fatal(err)
	}
	_, err = policy.ParseMember("gm.yaml", data)
	for _, want := range []string{"access_list: is for profile getvpn", "deny_protocol: is for profile getvpn"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestFaultsOfAccessLists(t *testing.T) {
	k, _ := vendorPolicy(t)
	for want, list := range map[string][]policy.ACE{
		"there is no permit entry":              {aceOf(true, "10.0.0.0/8", "10.0.0.0/8", 0)},
		"an access list of IPv6 cannot name AH": {aceOf(false, "2001:db8::/32", "2001:db8::/32", 51)},
		"ports need a protocol that has them":   {aceOf(false, "10.0.0.0/8", "10.0.0.0/8", 0, 1, 2)},
		"are of different IP versions":          {aceOf(false, "10.0.0.0/8", "2001:db8::/32", 0)},
	} {
		k.Groups[0].SAs[0].AccessList = list
		data, err := policy.MarshalKeyServer(k, string(policy.SigningKeyPEM(k)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.ParseKeyServer("ks.yaml", data, keys(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestFlowsOfAnAccessList(t *testing.T) {
	k, _ := vendorPolicy(t)
	sa := k.Groups[0].SAs[0]
	if flows := sa.Flows(); len(flows) != 1 || flows[0] != sa.AccessList[3].Selector {
		t.Errorf("flows %v", flows)
	}
	s := aceOf(false, "10.1.0.0/16", "10.2.0.0/16", 6, 1, 2).Selector
	if m := s.Mirrored(); m.Source != s.Destination || m.DestinationPort != 1 || m.Mirrored() != s {
		t.Errorf("%v mirrored is %v", s, m)
	}
	if policy.DenyNumber(0) != policy.DefaultDenyProtocol || policy.DenyNumber(201) != 201 {
		t.Error("deny number")
	}
}
