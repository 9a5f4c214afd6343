package peer_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
)

var talk = peer.Conversation{
	Local: netip.MustParseAddr("192.0.2.21"), Remote: netip.MustParseAddr("192.0.2.10"), PSK: "a key", Suite: policy.DefaultProposal,
	Papers: peer.Papers{Certificate: "a certificate\n", Key: "a private key\n", Anchor: "an anchor\n"},
}

func with(c peer.Conversation, change func(*peer.Conversation)) peer.Conversation {
	change(&c)
	return c
}

func TestForeignConfiguration(t *testing.T) {
	aggressive := with(talk, func(c *peer.Conversation) { c.Aggressive = true })
	signed := with(talk, func(c *peer.Conversation) { c.Suite.Authentication = policy.AuthRSA })
	traffic := with(talk, func(c *peer.Conversation) {
		c.Traffic = &peer.Traffic{
			Transform: policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256},
			Local:     netip.MustParsePrefix("10.0.1.0/24"), Remote: netip.MustParsePrefix("172.31.9.0/24"),
		}
	})
	tests := []struct {
		daemon, file string
		peer.Conversation
		want []string
	}{
		{"strongswan", "swanctl.conf", talk, []string{"proposals = aes128-sha256-modp2048\n", "auth = psk\n", `secret = "a key"`, "local_addrs = 192.0.2.21\n"}},
		{"strongswan", "swanctl.conf", aggressive, []string{"aggressive = yes\n"}},
		{"strongswan", "swanctl.conf", signed, []string{"auth = pubkey\n", "certs = own.pem\n"}},
		{"strongswan", "swanctl.conf", traffic, []string{"esp_proposals = aes128-sha256\n", "local_ts = 10.0.1.0/24\n", "remote_ts = 172.31.9.0/24\n"}},
		{"strongswan", "private/own.pem", talk, []string{"a private key\n"}},
		{"libreswan", "ipsec.conf", talk, []string{"ike=aes128-sha2_256;modp2048\n", "aggressive=no\n", "right=192.0.2.10\n"}},
		{"libreswan", "ipsec.conf", aggressive, []string{"aggressive=yes\n"}},
		{"libreswan", "ipsec.secrets", talk, []string{`192.0.2.21 192.0.2.10 : PSK "a key"`}},
	}
	for _, tt := range tests {
		content := written(t, tt.daemon, tt.file, tt.Conversation)
		for _, want := range tt.want {
			if !strings.Contains(content, want) {
				t.Errorf("%s %s: %q is missing in\n%s", tt.daemon, tt.file, want, content)
			}
		}
	}
}

// written is a file of a daemon, as it would be written for the conversation.
func written(t *testing.T, daemon, file string, c peer.Conversation) string {
	t.Helper()
	f, err := peer.LoadForeign(daemon)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l, commands, err := f.Launch(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(commands[peer.CommandInitiate]) == 0 || len(commands[peer.CommandTerminate]) == 0 {
		t.Errorf("%s has not all commands: %v", daemon, commands)
	}
	for _, have := range l.Files {
		if have.Path == filepath.Join(dir, file) {
			return string(have.Content)
		}
	}
	t.Fatalf("%s writes no %s", daemon, file)
	return ""
}

func TestForeignAbsent(t *testing.T) {
	root := t.TempDir()
	t.Setenv("GDOILAB_PEERS", root)
	f, err := peer.LoadForeign("libreswan")
	if err != nil {
		t.Fatal(err)
	}
	f.Program = "/usr/sbin/of-nobody"
	if why := f.Absent(); !strings.Contains(why, "not installed") {
		t.Errorf("a program that is nowhere: %q", why)
	}
	if over, err := f.Over(); over != "" || err != nil {
		t.Errorf("a tree that is nowhere is laid over /usr: %q, %v", over, err)
	}
	program := filepath.Join(root, "libreswan", f.Program)
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if why := f.Absent(); why != "" {
		t.Errorf("a program in the tree: %q", why)
	}
	if over, err := f.Over(); over != filepath.Join(root, "libreswan", "usr") || err != nil {
		t.Errorf("the tree is laid over /usr: %q, %v", over, err)
	}
}

func TestForeignLacks(t *testing.T) {
	f, err := peer.LoadForeign("libreswan")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		alter func(*peer.Conversation)
		want  string
	}{
		{func(*peer.Conversation) {}, ""},
		{func(c *peer.Conversation) { c.Suite.Group = policy.MODP1024 }, "libreswan 4.10 has no modp1024: Debian builds it without (fixtures/peers/ike/libreswan.yaml:"},
		{func(c *peer.Conversation) { c.Suite.Authentication = policy.AuthECDSA384 }, "has no ecdsa"},
		{func(c *peer.Conversation) { c.Traffic = &peer.Traffic{} }, "has no esp"},
		{func(c *peer.Conversation) { c.Asks = 1 }, "has no dpd"},
	} {
		why := f.Lacking(with(talk, tt.alter))
		if !strings.HasPrefix(why, tt.want) && !strings.Contains(why, tt.want) || tt.want == "" && why != "" {
			t.Errorf("%q, want %q", why, tt.want)
		}
	}
}

func TestForeignFaults(t *testing.T) {
	const whole = "name: a\nversion: b\nprogram: /c\ntree: d\nprocess:\n  command: [/c]\n  ready: {port: udp/500}\ncommands:\n  initiate: [/e]\n  terminate: [/f]\n"
	if _, err := peer.ParseForeign("whole.yaml", []byte(whole)); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ text, want string }{
		{strings.Replace(whole, "tree: d\n", "", 1), "tree"},
		{strings.Replace(whole, "  terminate: [/f]\n", "", 1), "whole.yaml:9:3: commands: the field \"terminate\" is missing"},
		{whole + "lacks: [{feature: modp768}]\n", "the field \"why\" is missing"},
		{whole + "lacks: [{feature: ecdsa-256, why: x}]\n", `no conversation has "ecdsa-256"`},
		{whole + "expected_failures: [{spec: a/b}]\n", "the field \"looks_like\" is missing"},
		{whole + "words: [a is b]\n", `whole.yaml:11:9: words[0]: "a is b" is no pair of words; write ours = theirs`},
		{whole + "wrods: []\n", "did you mean words?"},
	}
	for _, tt := range tests {
		if _, err := peer.ParseForeign("whole.yaml", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	if _, err := peer.LoadForeign("nobody"); err == nil {
		t.Error("a peer that is not described is loaded")
	}
}
