package policy_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func fullSNMP() *policy.SNMP {
	return &policy.SNMP{
		Listen: netip.MustParseAddrPort("127.0.0.1:1161"), Community: "public",
		Users: []policy.SNMPUser{
			{Name: "one", Password: "12345678", Privacy: "a secret: with 'quotes'"},
			{Name: "two", Hash: policy.SNMPSHA512, Password: "not a number", Privacy: "87654321"},
		},
		Traps: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.77:1162"), netip.MustParseAddrPort("[2001:db8::77]:162")},
	}
}

func fullTrack() *policy.Track {
	return &policy.Track{Number: 99, DelayUp: time.Minute, DelayDown: 1500 * time.Millisecond, Hook: []string{"/usr/local/sbin/routes", "two words"}}
}

// A member of one group tracks for itself, one of several for each.
func TestTrackRoundTrip(t *testing.T) {
	want := fullMember()
	want.Track = fullTrack()
	if diff := cmp.Diff(want, memberRoundTrip(t, want), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want.Groups = []policy.Membership{{Group: 1, Track: want.Track}, {Group: 2}}
	want.Group, want.Authorised, want.SIDRequest, want.Track = 0, nil, 0, nil
	if diff := cmp.Diff(want, memberRoundTrip(t, want), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if all := want.Memberships(); all[0].Track != want.Groups[0].Track || all[1].Track != nil {
		t.Errorf("%+v", all)
	}
	text := "profile: getvpn\n" + memberYAML + "track: {number: 1}\ngroups: [{id: 5}]\n"
	if _, err := policy.ParseMember("gm.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "track: is for a member of one group") {
		t.Error(err)
	}
}

// What the agent and the tracked object leave out has its default.
func TestSNMPDefaults(t *testing.T) {
	m, err := policy.ParseMember("gm.yaml", []byte("profile: getvpn\n"+memberYAML+
		"snmp: {listen: 192.0.2.9, users: [{name: u, password: '12345678', privacy: '12345678'}]}\ntrack: {number: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m.SNMP.Listen.Port() != 161 || m.SNMP.Users[0].Hash != policy.SNMPSHA1 || m.Track.Number != 1 || m.Track.Hook != nil {
		t.Errorf("%+v, %+v", m.SNMP, m.Track)
	}
}

func TestSNMPFaults(t *testing.T) {
	const user = "{name: u, password: '12345678', privacy: '12345678'}"
	for text, want := range map[string]string{
		"snmp: {listen: 192.0.2.9}":                                               "nobody may ask",
		"snmp: {listen: here, community: c}":                                      "is no address",
		"snmp: {listen: '192.0.2.9:0', community: c}":                             "is no address",
		"snmp: {listen: 192.0.2.9, traps: [192.0.2.1], users: [" + user + "]}":    "traps are sent by SNMPv2c",
		"snmp: {listen: 192.0.2.9, users: [" + user + ", " + user + "]}":          "u is already given at snmp.users[0].name",
		"snmp: {listen: 192.0.2.9, users: [{name: u, password: x, privacy: yy}]}": "it must have 8 to 255",
		"snmp: [1]":                    "a list where a mapping is expected",
		"track: {number: 0}":           "must be from 1 to 1000",
		"track: {hook: [x]}":           `the field "number" is missing`,
		"track: {number: 1, hook: []}": "at least one word of the command",
	} {
		_, err := policy.ParseMember("gm.yaml", []byte("profile: getvpn\n"+memberYAML+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Where a node follows RFC 6407 alone there is neither agent nor tracked object.
func TestSNMPIsOfTheProfile(t *testing.T) {
	const agent, tracked = "snmp: {listen: 192.0.2.9, community: c}\n", "track: {number: 1}\n"
	if _, err := policy.ParseKeyServer("ks.yaml", []byte(keyServerYAML+agent), keys(t)); err == nil || !strings.Contains(err.Error(), "snmp: is of GET VPN") {
		t.Error(err)
	}
	for text, want := range map[string]string{agent: "snmp: is of GET VPN", tracked: "track: is of GET VPN"} {
		if _, err := policy.ParseMember("gm.yaml", []byte(memberYAML+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := policy.MarshalMember(policy.Member{SNMP: &policy.SNMP{Users: []policy.SNMPUser{{Hash: 9}}}}); err == nil {
		t.Error("a hash without a name was written")
	}
}
