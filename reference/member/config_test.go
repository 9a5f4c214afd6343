package member_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

func violation(err error) (v *rule.Violation) {
	errors.As(err, &v)
	return v
}

func TestBadConfiguration(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(cfg *policy.Member)
		says   string
	}{
		{"no address", func(cfg *policy.Member) { cfg.Address = netip.AddrPort{} }, "want that of a host"},
		{"address of a group", func(cfg *policy.Member) { cfg.Address = addrPort("[ff05::1]:848") }, "want that of a host"},
		{"address with zone", func(cfg *policy.Member) { cfg.Address = addrPort("[fe80::1%lo]:848") }, "want that of a host"},
		{"IPv4 in IPv6", func(cfg *policy.Member) { cfg.Address = addrPort("[::ffff:192.0.2.1]:848") }, "want that of a host"},
		{"key server of IPv4 for IPv6", func(cfg *policy.Member) { cfg.Address = addrPort("[2001:db8::1]:848") }, "another IP version"},
		{"other address no other", func(cfg *policy.Member) { cfg.OtherAddress = netip.MustParseAddr("192.0.2.2") }, "another IP version"},
		{"other address of a group", func(cfg *policy.Member) { cfg.OtherAddress = netip.MustParseAddr("ff05::1") }, "of a host"},
		{"no key server", func(cfg *policy.Member) { cfg.KeyServers = nil }, "no key server"},
		{"no pre-shared key", func(cfg *policy.Member) { cfg.KeyServers[0] = addrPort("198.51.100.1:848") }, "pre-shared"},
		{"too many Sender-IDs", func(cfg *policy.Member) { cfg.SIDRequest = 65536 }, "65536"},
		{"a weak proposal", func(cfg *policy.Member) {
			cfg.Phase1.Proposals = []policy.Proposal{{Encryption: policy.Phase13DES, Hash: policy.Phase1MD5, Group: policy.ECP256}}
		}, "3des md5 ecp256 is weak"},
		{"negative Sender-IDs", func(cfg *policy.Member) { cfg.SIDRequest = -1 }, "-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			c.change(&cfg)
			_, err := member.New(cfg, member.Options{Rand: keymat.Seeded("x")})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v, want it to say %q", err, c.says)
			}
		})
	}
	if _, err := member.New(config(), member.Options{}); err == nil {
		t.Error("a member without randomness is made")
	}
}

// The longest prefix gives the pre-shared key.
func TestPreSharedKeyChoice(t *testing.T) {
	cfg := config()
	cfg.Phase1.PSKs = []policy.PSK{
		{Peer: prefix("0.0.0.0/0"), Key: []byte("wrong")},
		{Peer: prefix("192.0.2.10/32"), Key: psk},
		{Peer: prefix("192.0.2.0/24"), Key: []byte("wrong")},
	}
	l := newLabWith(t, cfg, nil).start()
	l.want("state", l.status().State, "registered")
}

// Ports that are not given are 848.
func TestDefaultPort(t *testing.T) {
	cfg := config()
	cfg.Address, cfg.KeyServers[0] = addrPort("192.0.2.1:0"), addrPort("192.0.2.10:0")
	gm, err := member.New(cfg, member.Options{Rand: keymat.Seeded("x")})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range gm.Handle(epoch, &core.Start{}) {
		if s, ok := e.(*core.Send); ok && (s.From != gmAddress || s.To != ksAddress) {
			t.Errorf("message 1 goes from %s to %s", s.From, s.To)
		}
	}
}

// A member that waits for nothing has no deadline.
func TestDeadline(t *testing.T) {
	gm, err := member.New(config(), member.Options{Rand: keymat.Seeded("x")})
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := gm.Deadline(); ok {
		t.Errorf("before its start the member wants to be woken at %s", at)
	}
	gm.Handle(epoch, &core.Start{})
	if at, ok := gm.Deadline(); !ok || at.Sub(epoch) != time.Second {
		t.Errorf("after its start the member wants to be woken at %s", at)
	}
}

// The same seed gives the same octets.
func TestRepeatable(t *testing.T) {
	var runs [2]string
	for i := range runs {
		l := newLab(t)
		var b strings.Builder
		l.drop = func(core.Kind) bool { return false }
		l.gm, _ = member.New(config(), member.Options{Rand: keymat.Seeded("member", "gm"), Tap: func(s core.Stage, o *core.Outgoing) {
			if s == core.Sealed {
				b.Write(o.Bytes)
			}
		}})
		l.start()
		runs[i] = b.String()
	}
	if runs[0] != runs[1] || len(runs[0]) == 0 {
		t.Error("two runs with one seed differ")
	}
}

// A member of GET VPN that lacks what it needs to register tells so, and sends nothing.
func TestIncompleteConfiguration(t *testing.T) {
	for missing, cfg := range map[string]policy.Member{
		"the identity of the group":                                 {KeyServers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:848")}},
		"the address of a key server":                               {Group: 1},
		"the identity of the group and the address of a key server": {},
	} {
		cfg.Name, cfg.Profile, cfg.Address = "gm", policy.ProfileGETVPN, netip.MustParseAddrPort("192.0.2.2:848")
		cfg.Phase1.PSKs = []policy.PSK{{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: []byte("key")}}
		m, err := member.New(cfg, member.Options{Rand: keymat.Seeded("incomplete")})
		if err != nil {
			t.Fatal(err)
		}
		var told string
		for _, e := range m.Handle(time.Now(), &core.Start{}) {
			switch e := e.(type) {
			case *core.Send:
				t.Errorf("without %s it sends %s", missing, e.Kind)
			case *core.Log:
				if e.Tag == "GM_INCOMPLETE_CFG" {
					told = e.Fields[0].Value
				}
			}
		}
		if told != missing {
			t.Errorf("it tells that %q is missing, want %q", told, missing)
		}
		m.Handle(time.Now(), &core.Command{ID: 1, Name: "status"})
	}
}
