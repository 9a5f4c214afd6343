package member_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

const secondGroup = 5678

// inTwo makes a member be in the group of each of the lab's key servers.
func inTwo(cfg *policy.Member) {
	cfg.Group, cfg.Groups = 0, []policy.Membership{{Group: group}, {Group: secondGroup, KeyServers: []netip.AddrPort{secondAddress}}}
}

// twoPolicies has the first key server protect what goes to 10.2/16 and the second what goes to 10.3/16, under the same SPI.
func twoPolicies(l *lab) {
	l.ks.sas = []policy.TrafficSA{toward(gcm(0x1001), "10.2.0.0/16")}
	other := toward(gcm(0x1001), "10.3.0.0/16")
	other.CipherKey = []byte("the second group's k")
	l.second.sas, l.second.rekey, l.second.sids = []policy.TrafficSA{other}, kek(9), &policy.SIDs{Bits: 8, Values: []uint32{6}}
}

func toward(sa policy.TrafficSA, destination string) policy.TrafficSA {
	sa.Selector.Destination = prefix(destination)
	return sa
}

func newTwo(t testing.TB, rules *rule.Switches) *lab {
	t.Helper()
	cfg := config()
	inTwo(&cfg)
	l := newLabWith(t, cfg, rules)
	twoPolicies(l)
	return l
}

func registeredInTwo(t testing.TB) *lab {
	t.Helper()
	l := newTwo(t, nil).start()
	l.states("registered registered")
	l.forget()
	return l
}

func (l *lab) states(want string) {
	l.Helper()
	var states []string
	for _, g := range l.status().Groups {
		states = append(states, g.State)
	}
	l.want("states", strings.Join(states, " "), want)
}

// clearPacketTo is a clearPacket to another network, 10.n/16.
func clearPacketTo(n byte) []byte {
	p := clearPacket()
	p[17] = n
	binary.BigEndian.PutUint16(p[10:], 0)
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	return p
}

// senderID is the one that a packet to 10.n/16 leaves with, -1 if it does not leave.
func (l *lab) senderID(n byte) (sid int) {
	sid = -1
	for _, e := range l.gm.Handle(l.now, &core.Packet{From: core.Inside, Data: clearPacketTo(n)}) {
		if f, ok := e.(*core.Forward); ok {
			sid = int(f.Data[28]) // behind the IP header, SPI and sequence number
		}
	}
	return sid
}

func (l *lab) senders(what string, first, second int) {
	l.Helper()
	if a, b := l.senderID(2), l.senderID(3); a != first || b != second {
		l.Errorf("%s: Sender-IDs %d and %d, want %d and %d\n%s", what, a, b, first, second, l.story())
	}
}

// Each group has its registration, its SA and its Sender-ID.
func TestTwoGroups(t *testing.T) {
	l := newTwo(t, nil).start()
	l.states("registered registered")
	l.senders("registered", 5, 6)
	s := l.status()
	if len(s.Groups) != 2 || s.Group != group || s.Groups[1].Group != secondGroup || s.Groups[1].KeyServer != secondAddress.String() {
		t.Errorf("status %+v", s)
	}
	for i, rekey := range []*policy.RekeySA{l.ks.rekey, l.second.rekey} {
		if g := s.Groups[i]; g.Rekey != rekey.SPI.String() || len(g.SAs) != 1 || !g.SAs[0].Sending {
			t.Errorf("group %d: %+v", i, g)
		}
	}
	for _, line := range l.logs {
		if !strings.Contains(fieldsOf(line), "group=") {
			t.Errorf("%s says no group", line.Tag)
		}
	}
}

func fieldsOf(l *core.Log) string {
	var b strings.Builder
	for _, f := range l.Fields {
		b.WriteString(f.Name + "=" + f.Value + " ")
	}
	return b.String()
}

// What a key server does to its group, it does to that alone.
func TestRekeyOfOneGroup(t *testing.T) {
	for _, c := range []struct {
		what          string
		push          func(l *lab) []byte
		first, second int
	}{
		{"new SA of the first", func(l *lab) []byte {
			return l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{toward(gcm(0x1002), "10.2.0.0/16")}})
		}, 5, 6},
		{"new SA for other flows of the second", func(l *lab) []byte {
			return l.second.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{toward(gcm(0x1002), "10.4.0.0/16")}})
		}, 5, -1},
		{"deletion of the first's SPI", func(l *lab) []byte {
			return l.ks.makePush(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(1, spi4(0x1001))}})
		}, -1, 6},
		{"deletion of all of the second", func(l *lab) []byte {
			return l.second.makePush(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(1, spi4(0))}})
		}, 5, -1},
		{"the second's SA, signed by its key server under the first's KEK", func(l *lab) []byte {
			return l.second.makePush(pushSpec{under: l.ks.rekey, seq: 0, deletes: []isakmp.Delete{deleteOf(1, spi4(0))}})
		}, 5, 6},
	} {
		l := registeredInTwo(t)
		l.ks.deaf, l.second.deaf = true, true
		l.push(c.push(l))
		l.senders(c.what, c.first, c.second)
	}
}

// A deletion of everything has the member register again for that group, with that key server.
func TestDeletedGroupRegistersAgain(t *testing.T) {
	l := registeredInTwo(t)
	l.push(l.second.makePush(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(1, spi4(0)), deleteOf(0, make([]byte, 16))}}))
	l.states("registered registered")
	if len(l.second.heard) < 2 || len(l.ks.heard) != 5 {
		t.Errorf("the first key server has heard %v, the second %v", l.ks.heard, l.second.heard)
	}
	l.senders("again", 5, 6)
}

// A group whose registration fails does not hold up the other.
func TestOneGroupRefused(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		l := newTwo(t, nil)
		l.ks.deaf, l.second.deaf = deaf, !deaf
		l.start()
		if deaf {
			l.states("phase1 registered")
			l.senders("the first is deaf", -1, 6)
		} else {
			l.states("registered phase1")
			l.senders("the second is deaf", 5, -1)
		}
	}
}

// Flows that two groups protect are of the first, even while it has no key for them.
func TestFirstGroupWins(t *testing.T) {
	l := newTwo(t, nil)
	l.second.sas[0].Selector.Destination = prefix("10.0.0.0/8")
	l.start()
	l.senders("registered", 5, 6)
	l.ks.deaf = true
	l.push(l.ks.makePush(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(1, spi4(0))}}))
	l.senders("the first has no SA", -1, 6)
}

// Commands are about one group, or about all.
func TestCommandsOfOneGroup(t *testing.T) {
	l := registeredInTwo(t)
	for _, c := range []struct {
		name, args string
		want       string
	}{
		{control.Register, `{"group": 5678}`, "PULL1 PULL3"},
		{control.Register, "", "PULL1 PULL1 PULL3 PULL3"},
		{control.Clear, `{"group": 1234}`, "MM1 MM3 MM5 PULL1 PULL3"},
	} {
		l.forget()
		l.command(c.name, c.args)
		var sent []string
		for _, line := range l.talk {
			if kind, ours := strings.CutPrefix(line, "GM --> "); ours {
				sent = append(sent, kind)
			}
		}
		l.want(c.name+c.args, strings.Join(sent, " "), c.want)
		l.states("registered registered")
	}
	for args, want := range map[string]string{
		`{"group": 7}`: "arguments of clear: this member is not of group 7",
		`{"group": "`:  "arguments of clear: unexpected end of JSON input",
	} {
		if r := l.command(control.Clear, args); r.Err != want {
			t.Errorf("%s: %q", args, r.Err)
		}
	}
	l.senders("still", 5, 6)
}

// What is wrong with one group is said of that group.
func TestGroupsRefused(t *testing.T) {
	for _, c := range []struct {
		alter func(*policy.Member)
		want  string
	}{
		{func(cfg *policy.Member) { cfg.Groups[1].Group = group }, "member: group 1234: it is named twice"},
		{func(cfg *policy.Member) { cfg.Groups[1].KeyServers[0] = addrPort("198.51.100.1:848") },
			"member: group 5678: key server 198.51.100.1: no pre-shared key"},
		{func(cfg *policy.Member) { cfg.KeyServers = nil }, "member: group 1234: no key server"},
	} {
		cfg := config()
		inTwo(&cfg)
		c.alter(&cfg)
		if _, err := member.New(cfg, member.Options{Rand: keymat.Seeded("x")}); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}
