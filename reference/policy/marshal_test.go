package policy_test

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func ptr[T any](v T) *T { return &v }

// fullKeyServer has a value in every field that a configuration file can hold.
func fullKeyServer(t *testing.T) policy.KeyServer {
	t.Helper()
	k, err := policy.ParseKeyServer("ks.yaml", []byte(keyServerYAML), keys(t))
	if err != nil {
		t.Fatal(err)
	}
	k.Address, k.Profile, k.SNMP = netip.MustParseAddrPort("192.0.2.1:8848"), policy.ProfileGETVPN, fullSNMP()
	k.Log = policy.LogReceiver{Network: policy.LogTCP, Address: netip.MustParseAddrPort("192.0.2.9:601"), Format: policy.LogRFC3164,
		Framing: policy.FrameByLineFeed}
	k.Router = fullRouter()
	k.Phase1 = policy.Phase1{
		Proposals: everyProposal(), AllowWeak: true, Mode: policy.EitherMode, Prefer: policy.PreferOwn, Kilobytes: 64, DPD: 1500 * time.Millisecond,
		Lifetime: time.Hour, Retransmit: 250 * time.Millisecond, Retries: 7, HalfOpen: policy.HalfOpen{Total: 12, PerAddress: 3}, Established: 5,
		NATTraversal: true, Keepalive: 45 * time.Second,
		PSKs: []policy.PSK{
			{Peer: netip.MustParsePrefix("0.0.0.0/0"), Key: []byte("plain text: with 'quotes' # and more")},
			{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: []byte("12345")},
			{Peer: netip.MustParsePrefix("192.0.2.7/32"), Key: []byte{0, 1, 0xfe, '\n'}},
			{Peer: netip.MustParsePrefix("192.0.2.8/32"), Key: []byte("hex:00")},
			{Peer: netip.MustParsePrefix("192.0.2.9/32"), Key: []byte(" true")},
			{Peer: netip.MustParsePrefix("192.0.2.10/32"), Identity: policy.Identity{Kind: policy.IdentityFQDN, Value: "gm1.example"}, Key: []byte("named")},
			{Identity: policy.Identity{Kind: policy.IdentityKeyID, Value: "\x00\x01"}, Key: []byte("named anywhere")},
		},
	}
	any4 := netip.MustParsePrefix("0.0.0.0/0")
	k.Groups = append(k.Groups, policy.Group{
		Name: "blue", ID: 4294967295, SIDBits: 16, SIDRange: policy.SIDRange{Last: 65535},
		Rekey: policy.RekeyPolicy{
			Transport: policy.TransportMulticast, Address: netip.MustParseAddrPort("239.1.2.3:848"), KEKLifetime: 90 * time.Second,
			Margin: 1500 * time.Millisecond, Retransmit: 3, Interval: 500 * time.Millisecond, Ack: policy.AckLKHSHA512, Management: policy.ManagementLKH,
			Updates: 7, Backward: true, KEKBehaviour: policy.KEKOld,
			KEK: policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}, SigHash: policy.SigHashSHA1, SigForm: policy.SigBareHash,
		},
		Activation: policy.Activation{DTD: ptr(65535 * time.Second), ATD: ptr(time.Duration(0))},
		SAs: []policy.SAPolicy{
			{
				Selector: policy.Selector{Source: any4, Destination: any4, Protocol: 17, SourcePort: 1, DestinationPort: 65535},
				Transform: policy.Transform{
					Cipher: policy.CipherAESCBC, KeyBits: 256, Integrity: policy.IntegrityHMACSHA256, Mode: policy.ModeTransport,
					Direction: policy.DirectionSenderOnly, ESN: true,
				},
				Lifetime: 2 * time.Second,
			},
			{
				Selector:  policy.Selector{Source: any4, Destination: any4, Protocol: 89},
				Also:      []policy.Selector{{Source: any4, Destination: any4, Protocol: 1}, {Source: any4, Destination: any4, Protocol: 6, SourcePort: 22}},
				Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 192, Mode: policy.ModeTunnel},
			},
		},
	}, policy.Group{
		Name: "reminding", ID: 8, Rekey: policy.RekeyPolicy{
			Transport: policy.TransportUnicast, Interval: time.Hour, Ack: policy.AckKEKSHA256, KEKLifetime: policy.LongestLifetime, Reminders: true,
		},
	}, policy.Group{
		Name: "bare", ID: 7, Rekey: policy.RekeyPolicy{Transport: policy.TransportNone},
		SAs: []policy.SAPolicy{{
			Selector: policy.Selector{Source: any4, Destination: any4},
			Transform: policy.Transform{
				Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel, Preservation: policy.PreserveSource,
			},
		}},
	})
	return k
}

// Every transform comes back from a configuration.
func TestTransformRoundTrip(t *testing.T) {
	k := fullKeyServer(t)
	k.Groups = k.Groups[len(k.Groups)-1:]
	sas := &k.Groups[0].SAs
	for i, transform := range append(policy.Transforms(), policy.AHTransforms()...) {
		sa := (*sas)[0]
		transform.Mode, transform.ESN = policy.ModeTunnel, i%2 == 0
		sa.Transform, sa.Selector.Protocol = transform, uint8(i+1)
		*sas = append(*sas, sa)
	}
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

func TestKeyServerRoundTrip(t *testing.T) {
	dir := t.TempDir()
	want := fullKeyServer(t)
	text, err := policy.MarshalKeyServer(want, "sign.pem")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "ks.yaml"), text)
	writeFile(t, filepath.Join(dir, "sign.pem"), policy.SigningKeyPEM(want))
	got, err := policy.LoadKeyServer(filepath.Join(dir, "ks.yaml"))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(want, got, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s\n%s", diff, text)
	}
}

func TestMemberRoundTrip(t *testing.T) {
	want := fullMember()
	again := memberRoundTrip(t, want)
	if diff := cmp.Diff(want, again, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want.FailOpen, want.OnDemand = false, true
	again = memberRoundTrip(t, want)
	if diff := cmp.Diff(want, again, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestMembershipRoundTrip has a member be in several groups, some with key servers of their own.
func TestMembershipRoundTrip(t *testing.T) {
	want := fullMember()
	want.Groups = []policy.Membership{
		{Group: 1, Authorised: want.Authorised, SIDRequest: 7, Track: want.Track},
		{Group: 2, KeyServers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.3:848"), want.KeyServers[0]}},
	}
	want.Group, want.Authorised, want.SIDRequest, want.Track = 0, nil, 0, nil
	for _, servers := range [][]netip.AddrPort{want.KeyServers, nil} {
		if want.KeyServers = servers; servers == nil {
			want.Groups[0].KeyServers = want.Groups[1].KeyServers
		}
		again := memberRoundTrip(t, want)
		if diff := cmp.Diff(want, again, compare, compareAddrs); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

func TestMemberships(t *testing.T) {
	one := fullMember()
	if all := one.Memberships(); len(all) != 1 || !cmp.Equal(all[0], one, compare, compareAddrs) {
		t.Errorf("of one group: %+v", all)
	}
	several := one
	own := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.3:848")}
	several.Groups = []policy.Membership{{Group: 1, SIDRequest: 7}, {Group: 2, KeyServers: own, Authorised: one.Authorised, Track: one.Track}}
	several.Group, several.Authorised, several.SIDRequest, several.Track = 0, nil, 0, nil
	first, second := one, one
	first.Group, first.Authorised, first.SIDRequest, first.Track = 1, nil, 7, nil
	second.Group, second.KeyServers, second.SIDRequest = 2, own, 0
	if diff := cmp.Diff([]policy.Member{first, second}, several.Memberships(), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestIPv6RoundTrip has every address be of IPv6, and the other one of IPv4.
func TestIPv6RoundTrip(t *testing.T) {
	want := fullMember()
	want.Address, want.OtherAddress = netip.MustParseAddrPort("[2001:db8::9]:1848"), netip.MustParseAddr("192.0.2.9")
	want.KeyServers = []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:848")}
	want.Phase1.PSKs = []policy.PSK{{Peer: netip.MustParsePrefix("2001:db8::/64"), Key: []byte("k")}, {Peer: netip.MustParsePrefix("::/0"), Key: []byte("l")}}
	want.Inside = append(want.Inside, netip.MustParsePrefix("2001:db8:1::/48"))
	again := memberRoundTrip(t, want)
	if diff := cmp.Diff(want, again, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	ks, err := policy.ParseKeyServer("ks.yaml", []byte(strings.NewReplacer("10.0.0.1\n", "2001:db8::1\n", "10.0.0.0/24", "2001:db8::/64", "10.0.0.2", "2001:db8::2",
		"transport: unicast", "transport: multicast\n      address: '[ff3e::8]:848'").Replace(keyServerYAML)), keys(t))
	if err != nil {
		t.Fatal(err)
	}
	if ks.Address.String() != "[2001:db8::1]:848" || ks.Groups[0].Rekey.Address.String() != "[ff3e::8]:848" {
		t.Errorf("%s, %s", ks.Address, ks.Groups[0].Rekey.Address)
	}
}

// memberRoundTrip writes a configuration and reads it again.
func memberRoundTrip(t *testing.T, m policy.Member) policy.Member {
	t.Helper()
	text, err := policy.MarshalMember(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.ParseMember("gm.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return again
}

// fullMember has a value in every field that a configuration file can hold.
func fullMember() policy.Member {
	return policy.Member{
		Name: "gm", Profile: policy.ProfileGETVPN, Address: netip.MustParseAddrPort("192.0.2.9:1848"), OtherAddress: netip.MustParseAddr("2001:db8::9"),
		KeyServers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:848"), netip.MustParseAddrPort("192.0.2.2:8480")},
		Phase1: policy.Phase1{
			Proposals: []policy.Proposal{{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.ECP521}, policy.DefaultProposal},
			PSKs:      []policy.PSK{{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: []byte("k")}},
			Mode:      policy.AggressiveMode, ClearProof: true,
		},
		Group: 99,
		Authorised: append(policy.Flows(policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.0.0.0/8"), Protocol: 1}),
			policy.Flow{Source: policy.AddressRange{First: netip.MustParseAddr("10.0.0.1"), Last: netip.MustParseAddr("10.0.0.9")},
				Destination: policy.AddressRange{First: netip.MustParseAddr("10.0.0.0"), Last: netip.MustParseAddr("10.0.1.255")}, Protocol: 17, SourcePort: 7}),
		Inside: []netip.Prefix{netip.MustParsePrefix("10.1.1.0/24"), netip.MustParsePrefix("10.1.2.0/24")},
		VRF:    "red", Namespace: "/run/netns/red",
		Joins: []policy.Stream{{Group: netip.MustParseAddr("239.1.1.1"), Interface: "eth1"},
			{Group: netip.MustParseAddr("ff05::1"), Interface: "eth2", Source: netip.MustParseAddr("2001:db8::1")}},
		FailOpen: true, MTU: 1400, ReplayWindow: 64, FirstSequence: 1<<64 - 1, RetryDelay: 1500 * time.Millisecond, ReRegister: time.Minute, SIDRequest: 2,
		Rekey: policy.MemberRekey{AcceptSHA1: true, SignatureForm: policy.SigBareHash, KEKBehaviour: policy.KEKOld},
		SNMP:  fullSNMP(),
		Client: policy.Client{Ciphers: []policy.KEKTransform{policy.DefaultKEK, {Cipher: policy.KEK3DES, KeyBits: 192}},
			Hashes: []policy.SigHash{policy.SigHashSHA384}, Transforms: policy.Transforms()[:2]},
		DataPath: policy.DataPath{
			Transport: true, DF: policy.DFClear, Fragment: policy.FragmentAfter, DSCP: ptr(uint8(0)), TTL: 255, PMTUAge: 90 * time.Second,
			Resync: policy.Resync{Failures: 1000, Cycles: 1},
			TFC:    policy.TFC{PadTo: 256, DummyAfter: 1},
			Own: []policy.OwnEntry{
				{Selector: policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("0.0.0.0/0"), Protocol: 17,
					DestinationPort: 53}, Action: policy.OwnBypass, Direction: policy.DirectionSenderOnly},
				{Selector: policy.Selector{Source: netip.MustParsePrefix("::/0"), Destination: netip.MustParsePrefix("2001:db8::/32")}, Action: policy.OwnDiscard},
			},
			Peers: []policy.TunnelPeer{
				{Network: netip.MustParsePrefix("10.2.0.0/16"), Gateway: netip.MustParseAddr("192.0.2.2")},
				{Network: netip.MustParsePrefix("2001:db8:2::/48"), Gateway: netip.MustParseAddr("2001:db8::2")},
			},
		},
	}
}

// A data path that says nothing, or what is the default, is the zero value.
func TestDataPathDefaults(t *testing.T) {
	m, err := policy.ParseMember("gm.yaml", []byte(memberYAML+"df: copy\nfragment: before\ndscp: copy\ntransport: false\n"))
	if err != nil || !reflect.DeepEqual(m.DataPath, policy.DataPath{}) {
		t.Errorf("%+v, %v", m.DataPath, err)
	}
	for _, d := range []policy.DataPath{{DF: 9}, {Fragment: 9}, {Own: []policy.OwnEntry{{}}}} {
		if text, err := policy.MarshalMember(policy.Member{DataPath: d}); err == nil {
			t.Errorf("%+v became\n%s", d, text)
		}
	}
}

// Tunnel mode in UDP preserves both addresses unless it is told otherwise, as tunnel mode does.
func TestModesInUDP(t *testing.T) {
	for mode, want := range map[policy.Mode]policy.Preservation{policy.ModeUDPTunnel: policy.PreserveBoth, policy.ModeUDPTransport: policy.PreserveAbsent} {
		k := fullKeyServer(t)
		k.Groups[0].SAs = k.Groups[0].SAs[:1]
		transform := &k.Groups[0].SAs[0].Transform
		*transform = policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: mode, Preservation: want}
		text, err := policy.MarshalKeyServer(k, "sign.pem")
		if err != nil {
			t.Fatal(err)
		}
		again, err := policy.ParseKeyServer("ks.yaml", text, func(string) ([]byte, error) { return policy.SigningKeyPEM(k), nil })
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got := again.Groups[0].SAs[0].Transform; got != *transform || !got.Mode.UDP() || got.Mode.Transports() != (mode == policy.ModeUDPTransport) {
			t.Errorf("mode %d became %+v", mode, got)
		}
	}
}

func TestMarshalRefusesWhatHasNoName(t *testing.T) {
	alter := map[string]func(*policy.Group){
		"transport": func(g *policy.Group) { g.Rekey.Transport = "pigeon" },
		"ack":       func(g *policy.Group) { g.Rekey.Ack = 200 },
		"cipher":    func(g *policy.Group) { g.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 100} },
		"hash":      func(g *policy.Group) { g.Rekey.SigHash = 1 },
		"form":      func(g *policy.Group) { g.Rekey.SigForm = 7 },
		"KEK":       func(g *policy.Group) { g.Rekey.Management = 7 },
		"key bits":  func(g *policy.Group) { g.SAs[0].Transform.KeyBits = 100 },
		"mode":      func(g *policy.Group) { g.SAs[0].Transform.Mode = 9 },
	}
	for name, change := range alter {
		k := fullKeyServer(t)
		change(&k.Groups[0])
		if text, err := policy.MarshalKeyServer(k, "x"); err == nil {
			t.Errorf("%s: no error, but\n%s", name, text)
		}
	}
	if text, err := policy.MarshalMember(policy.Member{Rekey: policy.MemberRekey{SignatureForm: 7}}); err == nil {
		t.Errorf("a member's form: no error, but\n%s", text)
	}
}
