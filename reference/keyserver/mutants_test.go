package keyserver_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// TestMutants: each guard of the key server and its groups can be noticed from outside. A member that tries everything
// must see something else when a guard is altered; what it sees are messages, the answers to commands, and log lines.
func TestMutants(t *testing.T) {
	want, _ := observe(t, nil)
	for _, line := range want {
		if strings.Contains(line, "failed:") || strings.Contains(line, "error:") {
			t.Fatal(line)
		}
	}
	if _, same := observe(t, want); !same {
		t.Fatal("two runs without mutants differ")
	}
	for _, g := range rule.All() {
		if !strings.HasPrefix(g.Name, "keyserver.") && !strings.HasPrefix(g.Name, "group.") {
			continue
		}
		for _, mutation := range g.Kind.Mutations() {
			if _, same := observe(t, want, g.Name, mutation.String()); same {
				t.Errorf("%s %s: not to be noticed", g.Name, mutation)
			}
		}
	}
}

// witness is a test that goes on after a failure: what failed is what it saw.
type witness struct {
	testing.TB
	altered []string
	lines   []string
}

type failure string

func (w *witness) Helper()                      {}
func (w *witness) Errorf(f string, args ...any) { w.see("error: "+f, args...) }
func (w *witness) Error(args ...any)            { w.see("error: %v", args) }
func (w *witness) Fatal(args ...any)            { panic(failure(fmt.Sprint(args...))) }
func (w *witness) Fatalf(f string, args ...any) { panic(failure(fmt.Sprintf(f, args...))) }
func (w *witness) see(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// act plays a scene.
func (w *witness) act(s scene) {
	var l *lab
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			w.see("%s: failed: %s", s.name, f)
		}
		if l != nil {
			w.see("%s: rejects %v", s.name, l.status().Rejects)
		}
	}()
	l = newLab(w, s.cfg, nil, w.altered...)
	s.do(w, l)
}

// scene is something that happens to a new key server.
type scene struct {
	name string
	cfg  policy.KeyServer
	do   func(*witness, *lab)
}

func scenes() []scene {
	soon := func(c *policy.KeyServer) {
		c.Groups[0].Rekey.KEKLifetime, c.Groups[0].Rekey.Margin = 10*time.Minute, time.Minute
	}
	all := []scene{
		{"rekeys", configuration(twoSAs), (*witness).rekeys},
		{"acknowledgements", configuration(acknowledged), (*witness).acknowledgements},
		{"bad first messages", configuration(), (*witness).badFirstMessages},
		{"registrations", configuration(twoSAs), (*witness).registrations},
		{"first messages", configuration(), (*witness).firstMessages},
		{"openings", configuration(wide, narrow), (*witness).openings},
		{"third messages", configuration(), (*witness).thirdMessages},
		{"strangers", configuration(), (*witness).strangers},
		{"schedule", configuration(soon), (*witness).schedule},
		{"exhaustion", configuration(), (*witness).exhaustion},
		{"share of the SIDs", configuration(sharing), (*witness).share},
		{"silence", configuration(acknowledged), (*witness).silence},
		{"not asked", configuration(), (*witness).notAsked},
		{"outsiders", configuration(), (*witness).outsiders},
		{"key material", configuration(tripleDES), (*witness).keyMaterial},
		{"algorithms of IEC 61850", configuration(iec61850), (*witness).algorithms},
		{"rekeys, 3DES", configuration(twoSAs, triple), (*witness).rekeys},
		{"rekeys, P-256", configuration(twoSAs, signedBy("ks-p256")), (*witness).rekeys},
		{"rekeys, P-384", configuration(twoSAs, signedBy("ks-p384")), (*witness).rekeys},
		{"rekeys, P-521", configuration(twoSAs, signedBy("ks-p521")), (*witness).rekeys},
		{"hierarchy", configuration(hierarchical), (*witness).hierarchy},
		{"hierarchy in parts", configuration(hierarchical, inParts), (*witness).parts},
		{"backward access control", configuration(backward), (*witness).newcomers},
		{"a key for Phase 1", configuration(certified("ks2")), (*witness).signingKey},
		{"behind a NAT", configuration(withNATT), (*witness).behindNAT},
		{"many SAs", configuration(fewSAs), (*witness).manySAs},
		{"itself behind a NAT", configuration(withNATT), (*witness).hidden},
		{"keepalives for an answer", configuration(withNATT, watching), (*witness).keptAlive},
		{"names at one address", configuration(acknowledged, withNames), (*witness).named},
		{"pseudotime", configuration(stamped), (*witness).pseudotime},
		{"pseudotime shortly before a rekey", configuration(stamped, ending), (*witness).merged},
		{"changes", configuration(vendor), (*witness).changes},
		{"another multicast address", configuration(vendor, multicast), (*witness).movedMulticast},
		{"pseudotime", configuration(vendor), (*witness).timed},
		{"another interface", configuration(interfaces), (*witness).aside},
		{"key to sign rekeys", configuration(vendor), (*witness).signed},
		{"access lists", configuration(vendor, ofSA(listed(100))), (*witness).accessLists},
		{"access lists in order", configuration(vendor, ofSA(listed(98))), (*witness).accessLists},
		{"acknowledgements, SHA-512", configuration(acknowledgedSHA512), (*witness).acknowledgements},
		{"profile getvpn", configuration(ofVendor), (*witness).vendor},
		{"advice", configuration(ofVendor, signedBy("ks-rsa1024"), busy), (*witness).advised},
		{"reminders", configuration(acknowledged, ofVendor, reminding), (*witness).reminders},
		{"pseudotime with a rekey", configuration(stamped, syncing(3180*time.Second)), (*witness).hour},
		{"pseudotime before a rekey", configuration(stamped, syncing(3165*time.Second)), (*witness).hour},
		{"loops", configuration(ofVendor), (*witness).loops},
		{"authorization", configuration(authorizing(onlyFirst, onlyName), withPSKs), (*witness).authorization},
		{"authorization of names", configuration(authorizing(nil, onlyName), withPSKs), (*witness).authorization},
		{"receive-only", configuration(receiveOnlyAtFirst), (*witness).receiveOnly},
		{"unanswered", configuration(acknowledged, ofVendor), (*witness).unanswered},
		{"unanswered by multicast", configuration(acknowledged, ofVendor, multicast), (*witness).unanswered},
	}
	for i := range all[1:] { // RSA, which costs most, has the first
		if c := &all[1+i].cfg; bytes.Equal(c.SigningKey, signingKey()) {
			signedBy("ks-p256")(c)
		}
	}
	return all
}

// observe plays the scenes with a key server whose guards are altered so. It stops at the first scene in which something
// else is seen than wanted; nothing wanted, it plays them all.
func observe(t testing.TB, want []string, altered ...string) (lines []string, same bool) {
	w := &witness{TB: t, altered: altered}
	for _, s := range scenes() {
		w.act(s)
		if n := len(w.lines); want != nil && (n > len(want) || !slices.Equal(w.lines, want[:n])) {
			return w.lines, false
		}
	}
	return w.lines, len(w.lines) == len(want)
}

func twoSAs(cfg *policy.KeyServer) {
	cfg.Groups[0].SAs = append(cfg.Groups[0].SAs, cfg.Groups[0].SAs[0])
	cfg.Groups[0].SAs[1].Selector.Protocol = 17
}

// iec61850 leaves algorithms of IEC 61850 to the key server.
func iec61850(cfg *policy.KeyServer) {
	cfg.Groups[0].SAs[0] = policy.SAPolicy{Selector: policy.Selector{Traffic: policy.OIDName{OID: "1.2.3"}},
		Transform: policy.Transform{Protocol: policy.ProtocolIEC61850}}
}

// tripleDES adds an SA whose key has parts.
func tripleDES(cfg *policy.KeyServer) {
	twoSAs(cfg)
	cfg.Groups[0].SAs[1].Transform = policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1, Mode: policy.ModeTunnel}
}
