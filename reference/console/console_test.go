package console

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

var update = flag.Bool("update", false, "write the conversations anew")

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// told is a core that answers with a fixed status and notes what else it is asked.
type told struct {
	status any
	asked  []string
	refuse bool
}

func (c *told) Deadline() (time.Time, bool) { return epoch, true }

func (c *told) Handle(_ time.Time, ev core.Event) []core.Effect {
	command, ok := ev.(*core.Command)
	if !ok {
		return []core.Effect{
			&core.Log{Severity: core.Notice, Tag: "REGISTERED", Text: "registered", Fields: []core.Field{{Name: "group", Value: "3333"}}},
			&core.Send{To: netip.MustParseAddrPort("10.0.3.1:848"), Data: make([]byte, 28)},
		}
	}
	var answer any = c.status
	if command.Name != control.Status {
		c.asked = append(c.asked, command.Name+" "+string(command.Args))
		answer = struct{}{}
	}
	if c.refuse {
		return []core.Effect{&core.Reply{ID: command.ID, Err: "% it cannot"}}
	}
	body, _ := json.Marshal(answer)
	return []core.Effect{&core.Reply{ID: command.ID, Body: body}}
}

func detail(source, destination string, protocol uint8, port uint16) control.SADetail {
	return control.SADetail{
		Protocol: "esp", Transform: "aes192-cbc-hmac-sha1", Mode: "tunnel", Direction: "absent", KeyOctets: 24, IntegrityOctets: 20, Lifetime: 3600,
		Source: source, Destination: destination, IPProtocol: protocol, DestinationPort: port, Due: epoch.Add(50 * time.Minute),
	}
}

func sas() []control.SA {
	return []control.SA{
		{SPI: "627e4b84", Selector: "10.0.0.0/8 -> 10.0.0.0/8", Expiry: epoch.Add(3214 * time.Second), Sending: true, Detail: detail("10.0.0.0/8", "10.0.0.0/8", 0, 0)},
		{SPI: "00000100", Selector: "10.0.1.1/32 -> 0.0.0.0/0 proto 17", Expiry: epoch.Add(-time.Second),
			Replay: &control.Replay{Method: "time", Window: "10s", In: 7, Out: 8, InErrors: 1}, Detail: detail("10.0.1.1/32", "0.0.0.0/0", 17, 848)},
	}
}

func kek() *control.KEK {
	return &control.KEK{Transport: "unicast", Cipher: "aes256-cbc", KeyBits: 256, IV: 16, SigHash: "sha256", SigAlgorithm: "rsa", SigKeyBits: 2048,
		PublicKey: 294, Lifetime: 300, Due: epoch.Add(270 * time.Second)}
}

// ks is the console of a key server that knows this.
func ks() (*Console, *told) {
	inner := &told{status: control.KSStatus{Role: "KS", Name: "ks1", Time: epoch, Phase1: 2, Groups: []control.KSGroup{{
		Name: "diffint", ID: 3333, Rekey: "a8110de7cc8b0fb201f2a8bfaa0f2d90", Sequence: 5, RekeyExpiry: epoch.Add(296 * time.Second), KEK: kek(), SAs: sas(),
		Pseudotime: "3611735.20", Direction: "receive-only", RekeyCounts: control.RekeyCounts{Rekeys: 5, Retransmits: 1, Took: 30}, NextSID: 2,
		Members: []control.KSMember{
			{Identity: "10.0.3.1", Address: "10.0.3.1:848", MemberCounts: control.MemberCounts{Rekeys: 5, Acks: 5, Sent: []uint32{5, 2, 3, 4}, Received: []uint32{5, 2, 3, 4}}},
			{Identity: "10.0.4.1", Address: "10.0.4.1:848", MemberCounts: control.MemberCounts{Rekeys: 2, Retries: 4, Missed: 2, Sent: []uint32{4, 5}}},
		},
	}}}}
	cfg := policy.KeyServer{
		Name: "ks1", Profile: policy.ProfileGETVPN, Address: netip.MustParseAddrPort("10.0.8.1:848"),
		Groups: []policy.Group{{
			Name: "diffint", ID: 3333, Rekey: policy.RekeyPolicy{Transport: policy.TransportUnicast, Retransmit: 2},
			SAs: []policy.SAPolicy{{Selector: policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.0.0.0/8")}}},
		}},
	}
	return KeyServer(inner, cfg, nil).(*Console), inner
}

// gm is the console of a member that knows this.
func gm() (*Console, *told) {
	inner := &told{status: control.GMStatus{Role: "GM", Name: "gm1", Time: epoch, GMGroup: control.GMGroup{
		Group: 3333, State: "registered", KeyServer: "10.0.8.1:848", Rekey: "a8110de7cc8b0fb201f2a8bfaa0f2d90", Sequence: 5,
		RekeyExpiry: epoch.Add(255 * time.Second), SAs: sas(), KEK: kek(),
		GMCounts: control.GMCounts{Registrations: 1, Attempts: 2, Rekeys: 5, RekeysSince: 3, Acks: 4, LastFrom: "10.0.8.1", LastRekey: epoch.Add(-90 * time.Second),
			ReRegisters: epoch.Add(93 * time.Second)},
		Modes: control.Modes{Direction: "inbound-optional", FailClose: true, Revert: true, Removal: epoch.Add(697 * time.Second)},
		Pseudotime: &control.Pseudotime{Value: "3611735.21", SyncErrors: 2, MaxDelta: "12.50", Errors: []control.ReplayError{
			{Time: epoch, Source: "10.0.4.1", SPI: "627e4b84", Sequence: 9, Own: "3611735.21", Peer: "3611600.00"},
		}},
	}, Counters: map[string]uint64{"encrypted": 12, "decrypted": 11, "bypassed": 3, "dropped": 1}}}
	cfg := policy.Member{
		Name: "gm1", Profile: policy.ProfileGETVPN, Address: netip.MustParseAddrPort("10.0.3.1:848"), Group: 3333, GroupName: "diffint", ReplayWindow: 64,
		KeyServers: []netip.AddrPort{netip.MustParseAddrPort("10.0.8.1:848"), netip.MustParseAddrPort("10.0.9.1:848")},
		Console:    policy.Console{Enable: "sesame"},
		DataPath: policy.DataPath{Own: []policy.OwnEntry{{
			Selector: policy.Selector{Source: netip.MustParsePrefix("0.0.0.0/0"), Destination: netip.MustParsePrefix("0.0.0.0/0"), Protocol: 89}, Action: policy.OwnBypass,
		}}},
		FailClose: policy.FailClose{Activate: true, AccessList: []policy.FailCloseEntry{{
			Selector: policy.Selector{Source: netip.MustParsePrefix("0.0.0.0/0"), Destination: netip.MustParsePrefix("0.0.0.0/0"), Protocol: 6, SourcePort: 23}, Action: policy.ACLDeny,
		}}},
	}
	return Member(inner, cfg, "Ethernet2/0", nil).(*Console), inner
}

// typed types one line in a mode.
func typed(t *testing.T, c *Console, mode, text string) control.ConsoleResult {
	t.Helper()
	args, _ := json.Marshal(control.ConsoleArgs{Line: text, Mode: mode})
	for _, e := range c.Handle(epoch, &core.Command{ID: 7, Name: control.Console, Args: args}) {
		if r, ok := e.(*core.Reply); ok && r.ID == 7 && r.Err == "" {
			var result control.ConsoleResult
			if err := json.Unmarshal(r.Body, &result); err != nil {
				t.Fatal(err)
			}
			return result
		}
	}
	t.Fatalf("%q is not answered", text)
	return control.ConsoleResult{}
}

// TestConversations types what stands behind the prompts in a file, and compares what comes back with what stands there.
func TestConversations(t *testing.T) {
	for name, make := range map[string]func() (*Console, *told){"gm": gm, "ks": ks, "words": gm, "debug": ks} {
		path := filepath.Join("testdata", name+".txt")
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, inner := make()
		got := converse(t, c, inner, string(want))
		if *update {
			err = os.WriteFile(path, []byte(got), 0o644)
		} else if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// converse types the lines that begin with a prompt, and writes down the whole conversation. Of what the core was asked to do stands a
// line "==>".
func converse(t *testing.T, c *Console, inner *told, script string) string {
	var b strings.Builder
	mode, prompt := "", c.prompt("")
	for _, l := range strings.Split(script, "\n") {
		asked, ok := strings.CutPrefix(l, "|")
		if !ok {
			continue
		}
		_, input, _ := strings.Cut(asked, "~")
		if input == "(a message)" {
			c.Handle(epoch, &core.Datagram{From: netip.MustParseAddrPort("10.0.4.1:848"), Data: make([]byte, 28)})
			fmt.Fprintf(&b, "|%s~%s\n", prompt, input)
			continue
		}
		r := typed(t, c, mode, input)
		fmt.Fprintf(&b, "|%s~%s\n%s", prompt, input, r.Text)
		for _, asked := range inner.asked {
			fmt.Fprintf(&b, "==> %s\n", asked)
		}
		inner.asked = nil
		mode, prompt = r.Mode, r.Prompt
	}
	return b.String()
}

// What no operator types is answered all the same.
func TestRefusals(t *testing.T) {
	c, inner := gm()
	effects := c.Handle(epoch, &core.Command{ID: 3, Name: control.Console, Args: []byte("{")})
	if r := effects[0].(*core.Reply); r.ID != 3 || r.Err == "" {
		t.Errorf("%+v", r)
	}
	inner.refuse = true
	for _, l := range []string{"show crypto gdoi", "show crypto ipsec sa", "show crypto ruleset", "show crypto map", "show crypto gdoi gm dataplane counters"} {
		if r := typed(t, c, modeExec, l); r.Text != "% it cannot\n" {
			t.Errorf("%s: %q", l, r.Text)
		}
	}
	if at, ok := c.Deadline(); !ok || !at.Equal(epoch) {
		t.Errorf("%v, %v", at, ok)
	}
	if plain := Member(inner, policy.Member{}, "", nil); plain != core.Core(inner) {
		t.Error("a console where the profile has none")
	}
}

// The trace keeps the last events, and no more.
func TestTrace(t *testing.T) {
	var tr trace
	for i := range 3 * traced {
		tr.add(epoch.Add(time.Duration(i)*time.Second), &core.Log{Tag: fmt.Sprint(i)})
	}
	if last := tr.events[len(tr.events)-1].log.Tag; len(tr.events) > traced || last != fmt.Sprint(3*traced-1) {
		t.Errorf("%d events, the last is %s", len(tr.events), last)
	}
}

// What is told of messages while debugging is on goes into the log, and is of the peers alone that are asked for.
func TestDebug(t *testing.T) {
	c, _ := ks()
	other, peer := netip.MustParseAddrPort("10.0.4.1:848"), netip.MustParseAddrPort("10.0.3.1:848")
	told := func(from netip.AddrPort) (peers []string) {
		for _, e := range c.Handle(epoch, &core.Datagram{From: from, Data: []byte("no message")}) {
			if l, ok := e.(*core.Log); ok && l.Severity == core.Debug {
				peers = append(peers, l.Fields[0].Value)
			}
		}
		return peers
	}
	expect := func(when string, from netip.AddrPort, want ...string) {
		t.Helper()
		if got := told(from); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	expect("off", other)
	typed(t, c, modeExec, "debug crypto gdoi ks rekey all-levels")
	expect("on", other, "10.0.4.1", "10.0.3.1")
	typed(t, c, modeExec, "debug crypto gdoi condition peer address ipv4 10.0.4.1")
	expect("of one peer", other, "10.0.4.1")
	expect("of one peer, and this is another", peer)
	typed(t, c, modeExec, "no debug crypto gdoi condition 10.0.4.1")
	expect("of all again", peer, "10.0.3.1", "10.0.3.1")
	typed(t, c, modeExec, "undebug all")
	expect("off again", peer)
}

// A key server that goes by another policy is shown by that, and one that refuses it by the old.
func TestReconfigured(t *testing.T) {
	c, inner := ks()
	next, err := policy.LoadKeyServer("../../fixtures/examples/getvpn-ks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	next.Groups[0].Rekey = policy.RekeyPolicy{Transport: policy.TransportNone}
	doc, err := policy.MarshalKeyServer(next, "")
	if err != nil {
		t.Fatal(err)
	}
	args, _ := json.Marshal(control.ConfigureArgs{Config: strings.Replace(string(doc), "signing_key: \"\"", "", 1)})
	inner.refuse = true
	c.Handle(epoch, &core.Command{Name: control.Configure, Args: args})
	inner.refuse = false
	if got := typed(t, c, "", "show crypto gdoi ks acl").Text; strings.Contains(got, "deny ospf any any") {
		t.Errorf("%s", got)
	}
	c.Handle(epoch, &core.Command{Name: control.Configure, Args: args})
	if got := typed(t, c, "", "show crypto gdoi ks acl").Text; !strings.Contains(got, "deny ospf any any") {
		t.Errorf("%s", got)
	}
}

// FuzzLine: whatever is typed in whatever mode, there is an answer, and the same line gives the same one again.
func FuzzLine(f *testing.F) {
	for _, l := range []string{"show crypto gdoi | json", "sh cry gd?", "clear crypto gdoi group diffint", "yes", "show | include [", "debug crypto gdoi condition 10.0.0.1", "?", " ", "show crypto gdoi ks members 10.0.3.1 | section 10"} {
		f.Add(l, modeExec)
		f.Add(l, "")
		f.Add(l, modeConfirm+"clear crypto gdoi")
	}
	f.Fuzz(func(t *testing.T, text, mode string) {
		for _, make := range []func() (*Console, *told){gm, ks} {
			first, _ := make()
			again, _ := make()
			if a, b := typed(t, first, mode, text), typed(t, again, mode, text); a != b || a.Prompt == "" {
				t.Errorf("%+v, then %+v", a, b)
			}
		}
	})
}
