package console_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/console"
)

// TestLines has one line of each form that releases use.
func TestLines(t *testing.T) {
	for line, want := range map[string][]console.Field{
		"    Group Name               : diffint":                    {{"Group Name", "diffint"}},
		"Key Size:192":                                              nil,
		"orig life(sec): 300   remaining life(sec): 296":            {{"orig life(sec)", "300"}, {"remaining life(sec)", "296"}},
		"  # of teks : 1   Seq num : 0":                             {{"# of teks", "1"}, {"Seq num", "0"}},
		"    Group member             : 10.0.3.1        vrf: None":  {{"Group member", "10.0.3.1"}, {"vrf", "None"}},
		"        sa timing:remaining key lifetime (sec): (3214)":    {{"sa timing:remaining key lifetime (sec)", "(3214)"}},
		"       Rekey Received        : 00:01:30":                   {{"Rekey Received", "00:01:30"}},
		"      local ident  = 172.16.0.0/16, port = 0":              {{"local ident", "172.16.0.0/16, port = 0"}},
		"      direction: Both, replay(method/window): Counter/64":  {{"direction", "Both"}, {"replay(method/window)", "Counter/64"}},
		"Group Name: g, ID: 7, Group Members: 2":                    {{"Group Name", "g"}, {"ID", "7"}, {"Group Members", "2"}},
		"     Group Server list       : 2001:db8::1":                {{"Group Server list", "2001:db8::1"}},
		"Anti-Replay(Time Based) : 10 sec interval":                 {{"Anti-Replay(Time Based)", "10 sec interval"}},
		"access-list deny tcp any port = 23 any":                    {{"access-list deny tcp any port", "23 any"}},
		"KEK POLICY:":                                               {{"KEK POLICY", ""}},
		"":                                                          nil,
		"GROUP INFORMATION":                                         nil,
		"Local KS Role: Primary , Local KS Status: Alive":           {{"Local KS Role", "Primary"}, {"Local KS Status", "Alive"}},
		"Number of rekeys sent for group diffint : 5":               {{"Number of rekeys sent for group diffint", "5"}},
		"Group Member ID    : 10.0.3.1    GM Version: 1.0.25":       {{"Group Member ID", "10.0.3.1"}, {"GM Version", "1.0.25"}},
		"       transform: esp-3des esp-sha-hmac ,":                 {{"transform", "esp-3des esp-sha-hmac ,"}},
		"    spi : 0xA8110DE7CC8B0FB201F2A8BFAA0F2D90":              {{"spi", "0xA8110DE7CC8B0FB201F2A8BFAA0F2D90"}},
		"    #pkts decaps: 11, #pkts decrypt: 11, #pkts verify: 11": {{"#pkts decaps", "11"}, {"#pkts decrypt", "11"}, {"#pkts verify", "11"}},
		"  Input Packets : 4          Output Packets : 5":           {{"Input Packets", "4"}, {"Output Packets", "5"}},
		"Replay Value             : 3611735.21 secs":                {{"Replay Value", "3611735.21 secs"}},
	} {
		if got := console.Read(line).Fields; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// conversation is what the reference answers to a command in one of its own recorded conversations.
func conversation(t *testing.T, name, command string) console.Answer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../reference/console/testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(data), "\n|") {
		if line, text, _ := strings.Cut(part, "\n"); strings.HasSuffix(line, "~"+command) {
			return console.Read(text)
		}
	}
	t.Fatalf("nobody typed %q", command)
	return console.Answer{}
}

// TestMember reads what the reference shows as a member, field by field.
func TestMember(t *testing.T) {
	a := conversation(t, "gm", "show crypto gdoi")
	if missing := a.Missing("Group Name", "Group Identity", "Group Type", "Crypto Path", "Key Management Path", "Rekeys received", "IPSec SA Direction",
		"Group Server list", "ACL Received From KS", "Group member", "vrf", "Local addr/port", "Remote addr/port", "fvrf/ivrf", "Version",
		"Registration status", "Registered with", "Reregisters in", "Succeeded registration", "Attempted registration", "Last rekey from",
		"Last rekey seq num", "Unicast rekey received", "Rekey ACKs sent", "Rekey Received", "PFS Rekey received", "DP Error Monitoring",
		"IPSEC init reg executed", "IPSEC init reg postponed", "Active TEK Number", "SA Track (OID/status)", "Fail-Close Revert",
		"allowable rekey cipher", "allowable rekey hash", "allowable transformtag", "Total received", "After latest register", "Rekey Acks sents",
		"Rekey Transport Type", "Lifetime (secs)", "Encrypt Algorithm", "Key Size", "Sig Hash Algorithm", "Sig Key Length (bits)", "spi", "transform",
		"sa timing:remaining key lifetime (sec)", "Anti-Replay(Counter Based)", "tag method", "alg key size", "sig key size", "encaps"); missing != nil {
		t.Errorf("%q are missing, or not in this order", missing)
	}
	if spis := a.SPIs(); !slices.Equal(spis, []string{"627e4b84", "00000100"}) {
		t.Errorf("%q", spis)
	}
	if n, err := a.Number("Re-registers in"); n != 93 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got := a.Values("no such*"); got != nil {
		t.Errorf("%q", got)
	}
	if v, ok := a.Value("anti-replay*"); v != "64" || !ok {
		t.Errorf("%q", v)
	}
}

// TestKeyServer reads what the reference shows as a key server.
func TestKeyServer(t *testing.T) {
	members := conversation(t, "ks", "show crypto gdoi ks members").Parts(`^\s*Group Member ID`)
	if len(members) != 2 {
		t.Fatalf("%d members", len(members))
	}
	if n, err := members[1].Number("Rekeys retries"); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := members[0].Number("GM Version"); err == nil {
		t.Error("a number out of nothing")
	}
	if _, err := members[0].Number("what"); err == nil {
		t.Error("a field that is not there")
	}
	if v, _ := members[0].Value("Sent seq num"); v != "5 2 3 4" {
		t.Errorf("%q", v)
	}
	rekey := conversation(t, "ks", "show crypto gdoi ks rekey")
	if missing := rekey.Missing("# of teks", "Seq num", "spi", "management alg", "encrypt alg", "crypto iv length", "key size", "orig life(sec)",
		"remaining life(sec)", "sig hash algorithm", "sig key length", "sig size", "sig key name"); missing != nil {
		t.Errorf("%q are missing", missing)
	}
	if missing := rekey.Missing("sig size", "spi", "nothing"); !slices.Equal(missing, []string{"spi", "nothing"}) {
		t.Errorf("%q", missing)
	}
	if rekey.Refused() || !conversation(t, "ks", "clear crypto gdoi").Refused() || !conversation(t, "ks", "crypto gdoi ks rekey group nobody").Refused() {
		t.Error("what is refused, and what not")
	}
}

// FuzzRead: every text can be read, and no field has a label or value that is not in it.
func FuzzRead(f *testing.F) {
	f.Add("orig life(sec): 300   remaining life(sec): 296\nlocal ident  = ANY, port = 0\n::: = , :")
	f.Fuzz(func(t *testing.T, text string) {
		a := console.Read(text)
		for _, field := range a.Fields {
			if !strings.Contains(text, field.Label) || !strings.Contains(text, field.Value) {
				t.Errorf("%q", field)
			}
		}
		a.SPIs()
		a.Parts("^a")
		a.Missing("x")
	})
}
