package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestModesOfMemberRoundTrip(t *testing.T) {
	want := fullMember()
	want.FailOpen, want.Passive = false, true
	want.FailClose = policy.FailClose{Activate: true, Revert: true, AccessList: []policy.FailCloseEntry{
		{Selector: policy.Selector{Source: netip.MustParsePrefix("0.0.0.0/0"), Destination: netip.MustParsePrefix("0.0.0.0/0"), Protocol: 6,
			DestinationPort: 23}, Action: policy.ACLDeny},
		{Selector: policy.Selector{Source: netip.MustParsePrefix("10.1.0.0/16"), Destination: netip.MustParsePrefix("10.2.0.0/16")}, Action: policy.ACLPermit},
	}}
	if diff := cmp.Diff(want, memberRoundTrip(t, want), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want.Groups = []policy.Membership{{Group: 1, Passive: true}, {Group: 2}}
	want.Group, want.Authorised, want.SIDRequest, want.Passive, want.Track = 0, nil, 0, false, nil
	again := memberRoundTrip(t, want)
	if diff := cmp.Diff(want, again, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if each := again.Memberships(); !each[0].Passive || each[1].Passive {
		t.Errorf("passive in %v and %v", each[0].Passive, each[1].Passive)
	}
}

// TestAuthorizationRoundTrip keeps lists that are empty apart from those that are not there.
func TestAuthorizationRoundTrip(t *testing.T) {
	lists := []*policy.Authorization{
		{},
		{Addresses: ptr([]netip.Prefix(nil))},
		{Identities: ptr([]policy.Identity(nil))},
		{Addresses: ptr([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}),
			Identities: ptr([]policy.Identity{{Kind: policy.IdentitySubject, Value: "OU=GETVPN"}, {Kind: policy.IdentityFQDN, Value: "gm1.example"}})},
	}
	for _, list := range lists {
		k := fullKeyServer(t)
		g := &k.Groups[0]
		g.Members, g.Identities, g.Authorization, g.ReceiveOnly, g.PacketRate = nil, nil, list, true, 100000
		text, err := policy.MarshalKeyServer(k, "sign.pem")
		if err != nil {
			t.Fatal(err)
		}
		got, err := policy.ParseKeyServer("ks.yaml", text, func(string) ([]byte, error) { return policy.SigningKeyPEM(k), nil })
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(k, got, compare, compareAddrs); diff != "" {
			t.Errorf("-want +got\n%s\n%s", diff, text)
		}
	}
}

func TestFaultsOfModes(t *testing.T) {
	profiled := strings.Replace(keyServerYAML, "address: ", "profile: getvpn\naddress: ", 1)
	in := func(doc, line string) string {
		return strings.Replace(doc, "    sas:\n", "    "+line+"\n    sas:\n", 1)
	}
	for want, doc := range map[string]string{
		`the field "receive_only" is for profile getvpn`:  in(keyServerYAML, "receive_only: true"),
		`the field "packet_rate" is for profile getvpn`:   in(keyServerYAML, "packet_rate: 1000"),
		`the field "authorization" is for profile getvpn`: in(keyServerYAML, "authorization: {addresses: []}"),
		`takes the place of "members"`:                    in(profiled, "authorization: {addresses: []}"),
		`is an address; write it into the field`:          in(profiled, "authorization: {identities: ['address:10.0.0.9']}"),
		`receive_only is of all SAs of the group`: strings.Replace(in(profiled, "receive_only: true"), "transform: ",
			"direction: sender-only\n        transform: ", 1),
	} {
		if _, err := policy.ParseKeyServer("ks.yaml", []byte(doc), keys(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v\n%s", want, err, doc)
		}
	}
	for want, add := range map[string]string{
		`gm.yaml:1:`: "passive: true",
		`the field "fail_close" is for profile getvpn`: "fail_close: {activate: true}",
		`fail_open lets pass what fail_close drops`:    "profile: getvpn\nfail_open: true\nfail_close: {activate: true}",
		`"pass" is unknown; known are deny, permit`:    "profile: getvpn\nfail_close: {access_list: [{source: 0.0.0.0/0, destination: 0.0.0.0/0, action: pass}]}",
		`ports need a protocol`:                        "profile: getvpn\nfail_close: {access_list: [{source: 0.0.0.0/0, destination: 0.0.0.0/0, source_port: 9, action: deny}]}",
	} {
		if _, err := policy.ParseMember("gm.yaml", []byte(memberYAML+add+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
