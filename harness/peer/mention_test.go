package peer

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// A field in which the policy differs from the usual one has to stand in a template, else the device would be another one than
// the spec believes.
func TestIgnores(t *testing.T) {
	example := load(t, "example-cli")
	for _, c := range []struct {
		name   string
		change func(*policy.KeyServer)
		want   string // path, "" if a template mentions it
	}{
		{"nothing", func(*policy.KeyServer) {}, ""},
		{"a lifetime", func(k *policy.KeyServer) { k.Phase1.Lifetime = time.Hour }, ""},
		{"a key", func(k *policy.KeyServer) { k.SigningKey = []byte{1} }, ""},
		{"a transform", func(k *policy.KeyServer) {
			k.Groups[0].SAs[0].Transform = policy.Transform{Cipher: policy.CipherAESCBC}
		}, ""},
		{"another SA", func(k *policy.KeyServer) { k.Groups[0].SAs = append(k.Groups[0].SAs, k.Groups[0].SAs[0]) }, ""},
		{"a delay", func(k *policy.KeyServer) { d := time.Second; k.Groups[0].Activation.DTD = &d }, ""},
		{"retransmissions", func(k *policy.KeyServer) { k.Phase1.Retries = 9 }, "KeyServer.Phase1.Retries"},
		{"sender IDs", func(k *policy.KeyServer) { k.Groups[0].SIDBits = 12 }, "KeyServer.Groups[0].SIDBits"},
		{"a cipher of rekeys", func(k *policy.KeyServer) { k.Groups[0].Rekey.KEK.Cipher = policy.KEK3DES }, "KeyServer.Groups[0].Rekey.KEK.Cipher"},
		{"a second group's", func(k *policy.KeyServer) {
			k.Groups = append(k.Groups, k.Groups[0])
			k.Groups[1].Rekey.Retransmit = 3
		}, "KeyServer.Groups[1].Rekey.Retransmit"},
	} {
		ks := keyServer(t)
		c.change(ks)
		why := example.KS.Ignores(Subject{KS: ks}, Subject{KS: keyServer(t)})
		if c.want == "" && why != "" || !strings.Contains(why, c.want) {
			t.Errorf("%s: %q; want %q", c.name, why, c.want)
		}
		if why := load(t, DefaultName).KS.Ignores(Subject{KS: ks}, Subject{KS: keyServer(t)}); why != "" {
			t.Errorf("%s: a template with the whole document: %q", c.name, why)
		}
	}
	ks := keyServer(t)
	ks.Phase1.Proposals = []policy.Proposal{{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA512, Group: policy.ECP384}}
	ks.Groups[0].Rekey.KEK.Cipher = policy.KEK3DES
	if why := load(t, "ios-xe").KS.Ignores(Subject{KS: ks}, Subject{KS: keyServer(t)}); why != "" {
		t.Errorf("values that are written as texts: %q", why)
	}
	gm := member()
	gm.OtherAddress = netip.MustParseAddr("2001:db8::1")
	why := example.GM.Ignores(Subject{GM: gm}, Subject{GM: member()})
	if !strings.HasPrefix(why, "example-cli as GM declares no template that mentions Member.OtherAddress (fixtures/peers/example-cli.yaml:") {
		t.Errorf("%q", why)
	}
	if why := manifest(t, "name: x\nfeatures: []\nroles: {GM: {core: reference-gm}}\n").GM.Ignores(Subject{GM: gm}, Subject{GM: member()}); why != "" {
		t.Errorf("a core gets the policy as a value: %q", why)
	}
}

// What a device can be told is what its templates mention, or everything.
func TestSays(t *testing.T) {
	for name, want := range map[string][2]bool{DefaultName: {true, true}, "ios-xe": {false, true}, "reference-driver": {true, true}} {
		gm := load(t, name).GM
		if got := [2]bool{gm.Says("Retransmit"), gm.Says("KeyServers")}; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What a template defines for itself counts too.
func TestMentionsInDefinitions(t *testing.T) {
	text := strings.Replace(processText, "{{ .Group }}", "{{ define `x` }}{{ range .Inside }}{{ .Addr }}{{ end }}{{ end }}{{ with $x := . }}{{ $x.MTU }}{{ template `x` . }}{{ end }}", 1)
	said := mentions(textsOf(manifest(t, text).GM))
	for _, name := range []string{"Inside", "Addr", "MTU", "Name", "Dir"} {
		if !said[name] {
			t.Errorf("%s: %v", name, said)
		}
	}
	if said["Group"] || said["Document"] {
		t.Errorf("%v", said)
	}
}

func textsOf(r *Role) []Text {
	_, texts := r.texts()
	return texts
}
