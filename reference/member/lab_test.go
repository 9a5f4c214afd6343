package member_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	gmAddress     = netip.MustParseAddrPort("192.0.2.1:848")
	ksAddress     = netip.MustParseAddrPort("192.0.2.10:848")
	secondAddress = netip.MustParseAddrPort("192.0.2.12:848")
	psk           = []byte("gdoi-psk")
	epoch         = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
)

const group = 1234

// lab is a member, a key server made for the test, and a wire between them that takes no time. Time moves only in run.
type lab struct {
	testing.TB
	gm     *member.Member
	ks     *testKS
	second *testKS // of another group; deaf unless the member is in two
	now    time.Time
	talk   []string // what went over the wire, one line a message
	logs   []*core.Log
	joins  []string
	secret []core.Secret
	tracks []string // states of tracked objects, with when
	passed []string // packets that left the gateway, by side and first octets

	drop    func(kind core.Kind) bool // messages of the member that are lost
	dropped int
	pending []*core.Datagram // from the key servers
	reply   *core.Reply
}

// config is a member with the key server that newLab makes.
func config() policy.Member {
	return policy.Member{
		Name: "gm1", Address: gmAddress, KeyServers: []netip.AddrPort{ksAddress}, Group: group,
		Phase1: policy.Phase1{PSKs: []policy.PSK{{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: psk}}},
		Inside: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
	}
}

func newLab(t testing.TB) *lab { return newLabWith(t, config(), nil) }

func newLabWith(t testing.TB, cfg policy.Member, rules *rule.Switches) *lab {
	t.Helper()
	gm, err := member.New(cfg, member.Options{Rand: keymat.Seeded("member", "gm"), Rules: rules, Secrets: true})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{TB: t, gm: gm, ks: newTestKS(t, ksAddress), second: newTestKS(t, secondAddress), now: epoch}
	l.ks.lab, l.second.lab = l, l
	return l
}

// start begins registration and lets the talk come to its end.
func (l *lab) start() *lab {
	l.event(&core.Start{})
	return l
}

// registered is a lab whose member has registered, with the talk so far forgotten.
func registered(t testing.TB) *lab {
	t.Helper()
	l := newLab(t).start()
	if got := l.status().State; got != "registered" {
		t.Fatalf("the member is %s:\n%s", got, l.story())
	}
	l.forget()
	return l
}

func (l *lab) forget() { l.talk, l.logs, l.joins, l.secret = nil, nil, nil, nil }

// event hands the member an event, and the key server what the member sends, until nobody has anything to say.
func (l *lab) event(ev core.Event) {
	l.effects(l.gm.Handle(l.now, ev))
	for len(l.pending) > 0 {
		d := l.pending[0]
		l.pending = l.pending[1:]
		l.effects(l.gm.Handle(l.now, d))
	}
}

func (l *lab) effects(effects []core.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case *core.Send:
			l.sent(e)
		case *core.Log:
			l.logs = append(l.logs, e)
		case *core.Join:
			l.joins = append(l.joins, "join "+told(e.Stream))
		case *core.Leave:
			l.joins = append(l.joins, "leave "+told(e.Stream))
		case *core.Secret:
			l.secret = append(l.secret, *e)
		case *core.Reply:
			l.reply = e
		case *core.Track:
			state := map[bool]string{true: "up", false: "down"}[e.Up]
			l.tracks = append(l.tracks, fmt.Sprintf("%d %s %s", e.Number, state, l.now.Sub(epoch)))
		case *core.Forward:
			l.passed = append(l.passed, fmt.Sprintf("%s %x", e.To, e.Data[:24]))
		}
	}
}

// told is a stream in words.
func told(s core.Stream) string {
	text := s.Group.String()
	if s.Interface != "" {
		text += " on " + s.Interface
	}
	if s.Source.IsValid() {
		text += " from " + s.Source.String()
	}
	return text
}

// sent gives a message of the member to the key server, unless it is lost.
func (l *lab) sent(s *core.Send) {
	if l.drop != nil && l.drop(s.Kind) {
		l.say("GM --> ", s.Kind.String()+" (lost)")
		l.dropped++
		return
	}
	l.say("GM --> ", s.Kind.String())
	if s.To == secondAddress {
		l.second.receive(s)
		return
	}
	l.ks.receive(s)
}

// say writes a line of the talk, with the time since the start if it is not zero.
func (l *lab) say(who, what string) {
	line := who + what
	if d := l.now.Sub(epoch); d > 0 {
		line = d.String() + " " + line
	}
	l.talk = append(l.talk, line)
}

// push delivers datagrams from the key server.
func (l *lab) push(datagrams ...[]byte) {
	for _, d := range datagrams {
		l.event(&core.Datagram{From: ksAddress, To: gmAddress, Data: bytes.Clone(d)})
	}
}

// run lets time pass, waking the member whenever it wants to be woken.
func (l *lab) run(d time.Duration) {
	l.Helper()
	end := l.now.Add(d)
	for i := 0; ; i++ {
		at, ok := l.gm.Deadline()
		if !ok || at.After(end) {
			break
		}
		if i > 100_000 {
			l.Fatalf("the member does not come to rest at %s", l.now.Sub(epoch))
		}
		if at.After(l.now) {
			l.now = at
		}
		l.event(&core.Timer{})
	}
	l.now = end
}

func (l *lab) command(name string, args ...string) *core.Reply {
	l.Helper()
	l.reply = nil
	l.event(&core.Command{ID: 7, Name: name, Args: []byte(strings.Join(args, ""))})
	if l.reply == nil || l.reply.ID != 7 {
		l.Fatalf("the reply to %s is %+v", name, l.reply)
	}
	return l.reply
}

func (l *lab) status() (s control.GMStatus) {
	l.Helper()
	r := l.command(control.Status)
	if r.Err != "" {
		l.Fatal(r.Err)
	}
	if err := json.Unmarshal(r.Body, &s); err != nil {
		l.Fatal(err)
	}
	return s
}

// spis are those of the installed SAs, sorted by age, the youngest first. The one that sends has a star.
func (l *lab) spis() string {
	var list []string
	for _, sa := range l.status().SAs {
		if sa.Sending {
			sa.SPI += "*"
		}
		list = append(list, sa.SPI)
	}
	return strings.Join(list, " ")
}

// refusals are the requirements for which messages were refused, with their numbers.
func (l *lab) refusals() string {
	var list []string
	for id, n := range l.status().Rejects {
		list = append(list, fmt.Sprintf("%s:%d", id, n))
	}
	sortStrings(list)
	return strings.Join(list, " ")
}

// tags are those of the log lines.
func (l *lab) tags() string {
	var list []string
	for _, line := range l.logs {
		list = append(list, line.Tag)
	}
	return strings.Join(list, " ")
}

// story is the talk with log lines behind it, for a failing test.
func (l *lab) story() string {
	var b strings.Builder
	b.WriteString(strings.Join(l.talk, "\n"))
	for _, line := range l.logs {
		fmt.Fprintf(&b, "\n%s %s %s %v", line.Tag, line.Requirement, line.Text, line.Fields)
	}
	return b.String()
}

// conversation compares the talk with what it should be.
func (l *lab) conversation(want string) {
	l.Helper()
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	if got := strings.Join(l.talk, "\n"); got != strings.Join(lines, "\n") {
		l.Errorf("the conversation was\n%s\nwant\n%s", l.story(), strings.Join(lines, "\n"))
	}
}

func (l *lab) want(what, got, want string) {
	l.Helper()
	if got != want {
		l.Errorf("%s: %q, want %q\n%s", what, got, want, l.story())
	}
}

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
