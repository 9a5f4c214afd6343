package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

var iecName = policy.OIDName{OID: "1.2.840.10070.61850.8.1.2", Payload: "\x00\xfe"}

// TestIECRoundTrip writes SAs of IEC 61850 with each algorithm, and groups that have a name, and reads them back.
func TestIECRoundTrip(t *testing.T) {
	want := fullKeyServer(t)
	g := &want.Groups[0]
	g.OID, g.SAs = iecName, nil
	for i, transform := range append(policy.IECTransforms(), policy.Transform{Protocol: policy.ProtocolIEC61850}) {
		sa := policy.SAPolicy{Selector: policy.Selector{Traffic: iecName}, Transform: transform, Lifetime: time.Minute}
		sa.Selector.Traffic.Payload += string(rune('a' + i))
		if i%2 == 0 {
			sa.Handling = policy.IECHandling{ATD: ptr(time.Duration(i) * time.Second), KDA: ptr(i)}
		}
		g.SAs = append(g.SAs, sa)
	}
	text, err := policy.MarshalKeyServer(want, "ks1.pem")
	if err != nil {
		t.Fatal(err)
	}
	got, err := policy.ParseKeyServer("ks.yaml", text, keys(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(want.Groups, got.Groups, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s\n%s", diff, text)
	}
}

func TestIECMemberRoundTrip(t *testing.T) {
	want := fullMember()
	want.GroupOID, want.IEC61850 = iecName, true
	if diff := cmp.Diff(want, memberRoundTrip(t, want), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want.Groups = []policy.Membership{{Group: 1, GroupOID: iecName, Track: want.Track}}
	want.Group, want.GroupOID, want.Authorised, want.SIDRequest, want.Track = 0, policy.OIDName{}, nil, 0, nil
	if diff := cmp.Diff(want, memberRoundTrip(t, want), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if one := want.Memberships()[0]; one.GroupOID != iecName {
		t.Errorf("the membership asks for %v", one.GroupOID)
	}
}

// TestIECFaults has each fault told with its place.
func TestIECFaults(t *testing.T) {
	old := keyServerYAML[strings.Index(keyServerYAML, "      - source:"):]
	sa := func(lines ...string) string {
		return "      - iec61850:\n          " + strings.Join(lines, "\n          ") + "\n"
	}
	for _, f := range []fault{
		{"no OID", old, sa("payload: e000"), []string{`ks.yaml:18:11: groups[0].sas[0].iec61850: the field "oid" is missing`}},
		{"OID of one number", old, sa(`oid: "1"`), []string{
			`ks.yaml:18:11: groups[0].sas[0].iec61850: "1" is no object identifier; write one such as 1.2.840.10070.61850.8.1.2`}},
		{"OID with a number that cannot be", old, sa("oid: 1.40.1"), []string{
			`ks.yaml:18:11: groups[0].sas[0].iec61850: "1.40.1" is no object identifier: 40 cannot be its number 2`}},
		{"OID with a zero before a number", old, sa("oid: 1.2.03"), []string{
			`ks.yaml:18:11: groups[0].sas[0].iec61850: "1.2.03" is no object identifier: 03 cannot be its number 3`}},
		{"octets that are none", old, sa("oid: 1.2.3", "payload: xyz"), []string{
			`ks.yaml:19:20: groups[0].sas[0].iec61850.payload: "xyz" is not hexadecimal; write two digits for each octet`}},
		{"CBC alone", old, sa("oid: 1.2.3", "encryption: aes128-cbc", "authentication: none"), []string{
			`ks.yaml:18:11: groups[0].sas[0].iec61850: aes-cbc-128 without authentication`}},
		{"assurance", old, sa("oid: 1.2.3", "key_assurance: 101"), []string{
			`ks.yaml:19:26: groups[0].sas[0].iec61850.key_assurance: 101 is out of range; it must be from 0 to 100`}},
		{"both kinds", "        transform: aes128-gcm16\n", "        transform: aes128-gcm16\n        iec61850: {oid: 1.2.3}\n", []string{
			"ks.yaml:17:9: groups[0].sas[0].source: unknown field; known are iec61850, lifetime",
			"ks.yaml:18:9: groups[0].sas[0].destination: unknown field; known are iec61850, lifetime",
			"ks.yaml:19:9: groups[0].sas[0].transform: unknown field; known are iec61850, lifetime"}},
		{"traffic twice", old, sa("oid: 1.2.3") + sa("oid: 1.2.3"), []string{
			`ks.yaml:19:9: groups[0].sas[1]: 1.2.3 is already given at groups[0].sas[0]`}},
		{"name of the group", "    id: 1234\n", "    id: 1234\n    oid: {oid: 3.1.0}\n", []string{
			`ks.yaml:11:10: groups[0].oid: "3.1.0" is no object identifier: 3 cannot be its number 1`}},
	} {
		t.Run(f.name, func(t *testing.T) {
			_, err := policy.ParseKeyServer("ks.yaml", []byte(f.apply(t, keyServerYAML)), keys(t))
			f.check(t, err)
		})
	}
}

func TestIECTransforms(t *testing.T) {
	seen := map[string]bool{}
	for _, transform := range policy.IECTransforms() {
		encrypts := transform.Encryption != policy.IECEncryptNone
		if seen[transform.String()] || encrypts && transform.Authentication == policy.IECAuthNone && !transform.Encryption.Authenticates() {
			t.Errorf("%s is there twice, or encrypts without authentication", transform)
		}
		seen[transform.String()] = true
	}
	for _, transform := range []policy.Transform{
		{Protocol: policy.ProtocolIEC61850, Authentication: 6, Encryption: 1},
		{Protocol: policy.ProtocolIEC61850, Authentication: 1, Encryption: 6},
		{Protocol: policy.ProtocolIEC61850, Authentication: 1, Encryption: policy.IECEncryptCBC256},
	} {
		if transform.Check() == nil {
			t.Errorf("%s is taken", transform)
		}
	}
}
