package peer

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a device lacks is said with its name, the role and the place in the manifest.
func TestAbilities(t *testing.T) {
	whole, black := load(t, DefaultName), manifest(t, processText)
	for _, a := range []Ability{ControlStatus, ControlRegister, ControlClear, ReadKeys, ReadLog, ReadSNMP, Mutants} {
		if why := whole.GM.Lacks(a); why != "" {
			t.Errorf("%s: %s", a, why)
		}
		if why := black.GM.Lacks(a); !strings.HasPrefix(why, "x as GM declares no ") || !strings.HasSuffix(why, "(x.yaml:5:5)") {
			t.Errorf("%s: %q", a, why)
		}
	}
	if why := whole.GM.Lacks(ControlRekey); !strings.HasPrefix(why, "reference as GM declares no control command rekey (fixtures/peers/reference.yaml:") {
		t.Errorf("%q", why)
	}
	some := manifest(t, strings.Replace(processText, "    process:", "    control: {unix: x, commands: [status]}\n    process:", 1))
	if why := some.GM.Lacks(ControlClear); why != "x as GM declares no control command clear (x.yaml:5:14)" {
		t.Errorf("%q", why)
	}
	if why := some.GM.Lacks(ControlStatus); why != "" {
		t.Errorf("%q", why)
	}
}

func TestRoles(t *testing.T) {
	m := manifest(t, processText)
	if m.Lacks(rule.GM) != "" || m.Role(rule.KS) != nil || m.Role(rule.Both) != nil || len(m.Roles()) != 1 {
		t.Errorf("%+v", m)
	}
	for _, r := range []rule.Role{rule.KS, rule.Both} {
		if why := m.Lacks(r); why != "x does not play the role KS (x.yaml)" {
			t.Errorf("%q", why)
		}
	}
}

func TestFeatures(t *testing.T) {
	m := load(t, "example-cli")
	for name, want := range map[string]string{
		"ack": "", "esp:aes-cbc": "", "kek:aes-256": "",
		"ipv6":     "example-cli does not declare the feature ipv6 (fixtures/peers/example-cli.yaml:",
		"kek:3des": "example-cli does not declare the feature kek:3des (fixtures/peers/example-cli.yaml:",
		"esp:3des": "example-cli lacks the feature esp:3des: taken out in version 17 (fixtures/peers/example-cli.yaml:",
	} {
		if why := m.LacksFeature(name); (why == "") != (want == "") || !strings.HasPrefix(why, want) {
			t.Errorf("%s: %q", name, why)
		}
	}
	for _, f := range Vocabulary {
		if why := load(t, DefaultName).LacksFeature(f.Name); why != "" {
			t.Errorf("the reference: %s", why)
		}
	}
}

// Every word is documented, none stands twice, and each can be a label of a spec.
func TestVocabulary(t *testing.T) {
	page, err := os.ReadFile("../../docs/peers.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, f := range Vocabulary {
		if seen[f.Name] || f.Doc == "" || strings.ContainsAny(f.Name, "&|!,()/ *") {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
		if !strings.Contains(string(page), "| `"+f.Name+"` | "+f.Doc+" |") {
			t.Errorf("docs/peers.md lacks: | `%s` | %s |", f.Name, f.Doc)
		}
	}
	for _, e := range EventNames {
		if !strings.Contains(string(page), "| `"+e.Name+"` | "+e.Doc+" |") {
			t.Errorf("docs/peers.md lacks: | `%s` | %s |", e.Name, e.Doc)
		}
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if m, err := Parse("docs/peers.md", []byte(example)); err != nil || m.GM == nil || valid(t, []byte(example)) != nil {
		t.Errorf("the example: %v", err)
	}
	for name := range functions {
		if !strings.Contains(string(page), "| `"+name) {
			t.Errorf("docs/peers.md lacks the function %s", name)
		}
	}
}

// A policy's demands are all in the vocabulary, whatever the policy.
func TestDemands(t *testing.T) {
	ks, gm := keyServer(t), member()
	want := []string{"gap", "esp:aes-gcm-16", "tunnel-mode", "esp:key-128", "sid:8", "multicast", "ack", "kek:aes-128", "sig:rsa", "sig:sha256",
		"phase1:aes-128", "phase1:sha256", "phase1:modp2048"}
	for _, keyServer := range []bool{true, false} {
		if got := Demands(*ks, []policy.Member{*gm}, keyServer); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
	}
	gm.FailOpen, gm.ReplayWindow, gm.Authorised = true, 64, []policy.Flow{{}}
	gm.DataPath.Resync.Cycles, gm.DataPath.Own = 2, []policy.OwnEntry{{}}
	gm.OnDemand, gm.DataPath.TFC.PadTo = true, 64
	gm.Track = &policy.Track{Hook: []string{"true"}}
	gm.Phase1.Proposals = []policy.Proposal{{Encryption: policy.Phase13DES, Hash: policy.Phase1MD5, Group: policy.MODP768},
		{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA512, Group: policy.ECP521}}
	g := &ks.Groups[0]
	g.Activation = policy.Activation{}
	g.Rekey.KEK, g.Rekey.SigHash, g.Rekey.SigForm = policy.KEKTransform{Cipher: policy.KEK3DES}, policy.SigHashSHA512, policy.SigBareHash
	g.SAs = append(g.SAs, policy.SAPolicy{Transform: policy.Transform{Cipher: policy.Cipher3DES, KeyBits: 192, Integrity: policy.IntegrityHMACSHA1,
		Mode: policy.ModeTransport, Direction: policy.DirectionSenderOnly, ESN: true}})
	g.SAs = append(g.SAs, policy.SAPolicy{Transform: policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1, Mode: policy.ModeUDPTunnel}})
	other := *g
	other.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone}
	ks.Groups = append(ks.Groups, other)
	gm.Groups, gm.Authorised = []policy.Membership{{Group: 1, Authorised: gm.Authorised, Track: gm.Track}, {Group: 2}}, nil
	got := Demands(*ks, []policy.Member{*gm}, false)
	want = []string{"several-groups", "several-sas", "esp:aes-gcm-16", "tunnel-mode", "esp:key-128", "sid:8", "esp:3des", "esp:hmac-sha1",
		"transport-mode", "esn", "direction", "udp-encapsulation", "multicast", "ack", "kek:3des", "sig:rsa", "sig:sha512", "sig:bare-hash", "no-rekey",
		"phase1:3des", "phase1:md5", "phase1:modp768", "phase1:aes-256", "phase1:sha512", "phase1:ecp521",
		"several-memberships", "track", "track-hook", "authorisation", "fail-open", "replay-window", "on-demand", "own-policy", "tfc", "esn-resync"}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	gm.Phase1.Proposals = nil
	got = Demands(*ks, []policy.Member{*gm}, true)
	if gone := slices.ContainsFunc(got, func(f string) bool { return f == "authorisation" || f == "fail-open" || f == "replay-window" }); gone {
		t.Errorf("what a member keeps to itself is asked of a key server: %v", got)
	}
	gm.Phase1.Proposals = []policy.Proposal{{Authentication: policy.AuthECDSA384, Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.ECP384}}
	gm.Phase1.Identity = policy.Identity{Kind: policy.IdentityFQDN, Value: "gm1.example"}
	ks.Groups[0].Identities = []policy.Identity{gm.Phase1.Identity}
	named := Demands(*ks, []policy.Member{*gm}, false)
	if !slices.Contains(named, "phase1:ecdsa384") || !slices.Contains(named, "identities") || slices.Contains(named, "named-members") {
		t.Errorf("a member that signs is asked for %v", named)
	}
	if named = Demands(*ks, []policy.Member{*gm}, true); !slices.Contains(named, "named-members") || slices.Contains(named, "identities") {
		t.Errorf("a key server of named members is asked for %v", named)
	}
	for _, table := range [][]string{values(transports), values(sidBits), values(ciphers), values(integrities), values(modes),
		values(signatures), values(sigHashes), got} {
		for _, name := range table {
			if err := CheckFeature(name); err != nil {
				t.Error(err)
			}
		}
	}
}

func values[T comparable](table map[T]string) (all []string) {
	for _, v := range table {
		all = append(all, v)
	}
	return all
}

func TestEvents(t *testing.T) {
	e := Events{Matches: map[string]*regexp.Regexp{
		"REGISTERED": regexp.MustCompile(`REGS_COMPL`),
		"REFUSED":    regexp.MustCompile(`DROP rule (?P<requirement>\S+) from (?P<from>\S+)`),
	}}
	line, ok := e.Read("*Jan 1 00:00:01: %GDOI-4-DROP rule RFC6407-4.4-02 from 192.0.2.10")
	if !ok || line.Tag != "REFUSED" || line.Requirement != "RFC6407-4.4-02" || line.Fields["from"] != "192.0.2.10" {
		t.Errorf("%+v, %v", line, ok)
	}
	if line, ok := e.Read("%GDOI-5-GM_REGS_COMPL: done"); !ok || line.Tag != "REGISTERED" || line.Text != "%GDOI-5-GM_REGS_COMPL: done" {
		t.Errorf("%+v, %v", line, ok)
	}
	if line, ok := e.Read("something else"); ok {
		t.Errorf("%+v", line)
	}
	if !e.tell("REGISTERED") || e.tell("STARTED") || !e.tell("") || !(Events{Own: true}).tell("STARTED") {
		t.Error("which events a log tells of")
	}
	m := load(t, "example-cli")
	if why := m.KS.LacksEvent("ACK_MISSING"); !strings.HasPrefix(why, "example-cli as KS declares no line of its log for the event ACK_MISSING (") {
		t.Errorf("%q", why)
	}
	if why := m.KS.LacksEvent("ACK_RECEIVED"); why != "" {
		t.Errorf("%q", why)
	}
	if why := manifest(t, processText).GM.LacksEvent("REGISTERED"); why != "x as GM declares no syslog (x.yaml:5:5)" {
		t.Errorf("%q", why)
	}
}

func TestExpected(t *testing.T) {
	e := load(t, "example-cli").Expected[0]
	if e.Verdict != "fail" || !e.LooksLike.MatchString("it goes on with the keys it had (refusal.go:57)") || e.UntilDay != "2027-06-30" {
		t.Errorf("%+v", e)
	}
	last := time.Date(2027, 6, 30, 23, 59, 59, 0, time.UTC)
	if e.Expired(last) || !e.Expired(last.Add(time.Second)) {
		t.Errorf("until %s", e.Until)
	}
	if !e.Of("a/b", []string{"RFC6407-4.4-02"}) || e.Of("a/b", []string{"RFC6407-4.4-03"}) || !(Expected{Spec: "a/b"}).Of("a/b", nil) {
		t.Error("what an expectation is about")
	}
}

func TestSwitches(t *testing.T) {
	if _, err := Switches([]Mutant{{"no.such.guard", "off"}}); err == nil {
		t.Error("a guard that does not exist")
	}
	if s, err := Switches(nil); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := Switches([]Mutant{{"member.push.seq", "off"}}); s == nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}
