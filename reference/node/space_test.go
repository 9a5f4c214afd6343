package node

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/dataplane"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// version is a version of IP in the tests: a multicast group, and addresses by network and host.
type version struct {
	name    string
	group   netip.Addr
	pattern string
	bits    int
}

var versions = []version{
	{"IPv4", netip.MustParseAddr("239.77.8.48"), "10.0.%d.%d", 24},
	{"IPv6", netip.MustParseAddr("ff05::8:48"), "2001:db8:0:%d::%d", 64},
}

func (v version) addr(network, host int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf(v.pattern, network, host))
}

func (v version) port(network, host int) netip.AddrPort {
	return netip.AddrPortFrom(v.addr(network, host), 848)
}

// own is an address as an interface has it, with the length of its network.
func (v version) own(network, host int) string {
	return netip.PrefixFrom(v.addr(network, host), v.bits).String()
}

// spaces are so many namespaces that have the version.
func (v version) spaces(t *testing.T, n int) (spaces []*nettest.Space) {
	for range n {
		s := nettest.New(t)
		if v.group.Is6() {
			s.IPv6()
		}
		spaces = append(spaces, s)
	}
	return spaces
}

// packets are those of the version that a tap has seen.
func (v version) packets(tap *nettest.Tap) [][]byte {
	if v.group.Is6() {
		return tap.IPv6()
	}
	return tap.IPv4()
}

// each runs a test for both versions.
func each(t *testing.T, test func(t *testing.T, v version)) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) { test(t, v) })
	}
}

// openIn opens a node in a namespace; it runs outside.
func openIn(t *testing.T, space *nettest.Space, cfg Config) *Node {
	t.Helper()
	var n *Node
	if cfg.Log == nil {
		cfg.Log = t.Output()
	}
	space.Do(func() (err error) {
		n, err = Open(cfg)
		return err
	})
	runOpened(t, n)
	return n
}

// listener is a core that joins the group on the command "join", leaves it on "leave" and tells what comes.
func listener(group netip.Addr, got chan string) *script {
	return streamListener(core.Stream{Group: group}, got)
}

// streamListener is listener of a stream.
func streamListener(stream core.Stream, got chan string) *script {
	return &script{
		onPacket: func(d *core.Datagram) []core.Effect {
			got <- fmt.Sprintf("%s -> %s: %s", d.From, d.To, d.Data)
			return nil
		},
		command: func(c *core.Command) []core.Effect {
			reply := &core.Reply{ID: c.ID, Body: []byte("{}")}
			if c.Name == "leave" {
				return []core.Effect{&core.Leave{Stream: stream}, reply}
			}
			return []core.Effect{&core.Join{Stream: stream}, &core.Join{Stream: stream}, reply}
		},
	}
}

// sender is a core that sends its command's name to the group.
func sender(group netip.Addr) *script {
	return &script{command: func(c *core.Command) []core.Effect {
		return []core.Effect{&core.Send{To: netip.AddrPortFrom(group, 848), Data: []byte(c.Name)}, &core.Reply{ID: c.ID, Body: []byte("{}")}}
	}}
}

func do(t *testing.T, n *Node, command string) {
	t.Helper()
	if r := n.Do(t.Context(), control.Request{Command: command}); r.Error != "" {
		t.Fatal(command, r.Error)
	}
}

// A stream is heard on its own interface, whichever the node's is, and of its source alone.
func TestStreams(t *testing.T) { each(t, testStreams) }

func testStreams(t *testing.T, v version) {
	spaces := v.spaces(t, 2)
	ks, gm := spaces[0], spaces[1]
	nettest.Connect(ks, "wan0", v.own(0, 1), gm, "wan0", v.own(0, 2))
	nettest.Connect(ks, "wan1", v.own(9, 1), gm, "wan1", v.own(9, 2))
	nettest.Connect(gm, "lan0", v.own(7, 3), ks, "unused", v.own(8, 1))
	from := openIn(t, ks, Config{Core: sender(v.group), Listen: v.port(9, 1), Interface: "wan1"})

	heard, other, elsewhere := make(chan string, 10), make(chan string, 10), make(chan string, 10)
	right := openIn(t, gm, Config{Core: streamListener(core.Stream{Group: v.group, Interface: "wan1", Source: v.port(9, 1).Addr()}, heard), Listen: v.port(0, 2)})
	wrong := openIn(t, gm, Config{Core: streamListener(core.Stream{Group: v.group, Interface: "wan1", Source: v.port(9, 7).Addr()}, other), Listen: v.port(9, 2)})
	own := openIn(t, gm, Config{Core: listener(v.group, elsewhere), Listen: v.port(7, 3), Interface: "wan0"})
	for _, n := range []*Node{wrong, own, right} {
		do(t, n, "join")
	}
	do(t, from, "one")
	if text := <-heard; text != fmt.Sprintf("%s -> %s: one", v.port(9, 1), netip.AddrPortFrom(v.group, 848)) {
		t.Errorf("%s", text)
	}
	if len(other)+len(elsewhere) > 0 {
		t.Errorf("%d of another source, %d on another interface", len(other), len(elsewhere))
	}
}

// TestMulticast has a key server and three members: two in one namespace and one in another, none in the test's own.
func TestMulticast(t *testing.T) { each(t, testMulticast) }

func testMulticast(t *testing.T, v version) {
	spaces := v.spaces(t, 3)
	ks, gm, second := spaces[0], spaces[1], spaces[2]
	nettest.Connect(ks, "wan0", v.own(0, 1), gm, "wan0", v.own(0, 2))
	nettest.Connect(ks, "wan1", v.own(9, 1), second, "wan0", v.own(9, 2))
	nettest.Connect(gm, "lan0", v.own(7, 3), second, "unused", v.own(8, 1))

	from := openIn(t, ks, Config{Core: sender(v.group), Listen: v.port(0, 1)})
	got := make(chan string, 10)
	a := openIn(t, gm, Config{Core: listener(v.group, got), Listen: v.port(0, 2)})
	b := openIn(t, gm, Config{Core: listener(v.group, got), Listen: v.port(7, 3), Interface: "wan0"})

	do(t, a, "join")
	do(t, from, "one")
	want := fmt.Sprintf("%s -> %s: one", v.port(0, 1), netip.AddrPortFrom(v.group, 848))
	if text := <-got; text != want {
		t.Errorf("%s", text)
	}
	do(t, b, "join")
	do(t, from, "two")
	for range 2 {
		if text := <-got; !strings.HasSuffix(text, "two") {
			t.Errorf("%s", text)
		}
	}
	do(t, a, "leave")
	do(t, from, "three")
	if text := <-got; !strings.HasSuffix(text, "three") {
		t.Errorf("%s", text)
	}
	do(t, a, "join") // again, on a new socket
	do(t, from, "four")
	for range 2 {
		if text := <-got; !strings.HasSuffix(text, "four") {
			t.Errorf("%s", text)
		}
	}
	if len(got) != 0 {
		t.Errorf("%d more", len(got))
	}
}

// TestMulticastLeavesByInterface checks interface and TTL of what is sent to a group.
func TestMulticastLeavesByInterface(t *testing.T) { each(t, testMulticastLeaves) }

func testMulticastLeaves(t *testing.T, v version) {
	spaces := v.spaces(t, 2)
	ks, gm := spaces[0], spaces[1]
	nettest.Connect(ks, "wan0", v.own(0, 1), gm, "wan0", v.own(0, 2))
	nettest.Connect(ks, "wan1", v.own(1, 1), gm, "wan1", v.own(1, 2))
	n := openIn(t, ks, Config{Core: sender(v.group), Listen: v.port(0, 1), Interface: "wan1", TTL: 3})
	wan0, wan1 := ks.Tap("wan0"), ks.Tap("wan1")
	do(t, n, "text")
	if sent := v.toGroup(wan1); len(sent) != 1 || sent[0] != 3 {
		t.Errorf("%v", sent)
	}
	if sent := v.toGroup(wan0); len(sent) != 0 {
		t.Errorf("%v", sent)
	}
}

// toGroup returns the TTLs of what was sent to the group by UDP, and leaves out what the kernel sends of its own.
func (v version) toGroup(tap *nettest.Tap) (ttls []byte) {
	protocol, ttl, destination := 9, 8, 16
	if v.group.Is6() {
		protocol, ttl, destination = 6, 7, 24
	}
	for _, p := range v.packets(tap) {
		if to, _ := netip.AddrFromSlice(p[destination : destination+v.group.BitLen()/8]); p[protocol] == 17 && to == v.group {
			ttls = append(ttls, p[ttl])
		}
	}
	return ttls
}

func TestMissingInterface(t *testing.T) {
	n, err := Open(Config{Core: new(script), Listen: loopback, Interface: "nowhere0"})
	if err == nil || !strings.Contains(err.Error(), "interface nowhere0") {
		t.Error(n, err)
	}
}

// TestSpaceRestoresThread runs in the namespace and is back afterwards.
func TestSpaceRestoresThread(t *testing.T) {
	other := nettest.New(t)
	var s *space
	other.Do(func() (err error) {
		s, err = currentSpace()
		return err
	})
	defer s.close()
	where := func() string { text, _ := os.Readlink("/proc/thread-self/ns/net"); return text }
	var inside string
	if err := s.do(func() error { inside = where(); return nil }); err != nil {
		t.Fatal(err)
	}
	if here := where(); inside == here || inside == "" {
		t.Errorf("inside %s, here %s", inside, here)
	}
	broken := errors.New("broken")
	if err := s.do(func() error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

var guardTest = rule.Check("node.test.packet", "RFC4303-3.4.2-01", rule.GM, "a guard of a test")

// mirror is a gateway that lets packets through as they are and refuses empty ones.
type mirror struct{}

func (mirror) Handle(_ time.Time, from core.Side, packet []byte, emit func(core.Side, []byte)) error {
	if len(packet) == 28 { // IP and UDP headers only
		return guardTest.Violated("nothing in it")
	}
	if len(packet) == 29 {
		return errors.New("gone")
	}
	emit(1-from, packet)
	return nil
}

// TestDataPlane sends a packet through a node, and one that its gateway refuses.
func TestDataPlane(t *testing.T) {
	host, gm, far := nettest.New(t), nettest.New(t), nettest.New(t)
	nettest.Connect(host, "eth0", "10.1.1.2/24", gm, "lan0", "10.1.1.1/24")
	nettest.Connect(gm, "wan0", "10.0.0.1/24", far, "eth0", "10.0.0.2/24")
	host.Route("0.0.0.0/0", "10.1.1.1")
	refused := make(chan *rule.Violation, 1)
	var log writer
	openIn(t, gm, Config{
		Name: "gm", Core: new(script), Listen: netip.MustParseAddrPort("10.0.0.1:848"), Log: &log,
		DataPlane: &DataPlane{
			Device: dataplane.Config{Name: "gm", Inside: []string{"lan0"}, Outside: []string{"wan0"},
				Networks: []netip.Prefix{netip.MustParsePrefix("10.1.1.0/24")}},
			Gateway: mirror{},
			Refused: func(_ time.Time, v *rule.Violation) []core.Effect {
				refused <- v
				return []core.Effect{&core.Log{Severity: core.Warning, Tag: "REFUSED", Text: v.Detail}}
			},
		},
	})
	tap := far.Tap("eth0")
	probe := &script{command: func(c *core.Command) []core.Effect {
		return []core.Effect{&core.Send{To: netip.MustParseAddrPort("10.0.0.2:9"), Data: []byte(c.Name)[:len(c.Name)-1]}, &core.Reply{ID: c.ID}}
	}}
	n := openIn(t, host, Config{Core: probe, Listen: netip.MustParseAddrPort("10.1.1.2:848")})
	do(t, n, "+")  // empty
	do(t, n, "x+") // lost without a reason
	do(t, n, "hello+")
	if v := <-refused; v.Detail != "nothing in it" {
		t.Error(v)
	}
	nettest.Eventually(t, "the packet on the far side", func() bool {
		for _, p := range tap.IPv4() {
			if p[9] == 17 && strings.HasSuffix(string(p), "hello") {
				return true
			}
		}
		return false
	})
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "nothing in it") {
		t.Errorf("%q", lines)
	}
}
