package dataplane

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

const hidden6 = 48 // octets in front of a packet: an IPv6 header and the place of SPI and number

// handle6 hides IPv6 packets as handle hides those of IPv4.
func (s *scrambler) handle6(from core.Side, packet []byte, emit func(core.Side, []byte)) {
	if from == core.Inside {
		out := make([]byte, hidden6, hidden6+len(packet))
		out[0], out[6], out[7] = 6<<4, unix.IPPROTO_ESP, 64
		binary.BigEndian.PutUint16(out[4:], uint16(len(out)-ipv6Header+len(packet)))
		copy(out[8:40], packet[8:40])
		emit(core.Outside, append(out, swapped(packet)...))
		return
	}
	if len(packet) < hidden6+ipv6Header || packet[6] != unix.IPPROTO_ESP {
		s.strangers.Add(1)
		return
	}
	emit(core.Inside, swapped(packet[hidden6:]))
}

func swapped(packet []byte) []byte {
	out := slices.Clone(packet)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out
}

// newWorld6 is the world with IPv6 beside IPv4:
//
//	h1 2001:db8:1::2 --- lan0 2001:db8:1::1 [g1] 2001:db8::1 wan0 === wan0 2001:db8::2 [g2] 2001:db8:2::1 lan0 --- h2 2001:db8:2::2
func newWorld6(t *testing.T) world {
	w := world{h1: nettest.New(t).IPv6(), g1: nettest.New(t).IPv6(), g2: nettest.New(t).IPv6(), h2: nettest.New(t).IPv6()}
	w.connect()
	w.g1.Address("wan0", "2001:db8::1/64")
	w.g2.Address("wan0", "2001:db8::2/64")
	w.g1.Address("lan0", "2001:db8:1::1/64")
	w.g2.Address("lan0", "2001:db8:2::1/64")
	w.h1.Address("eth0", "2001:db8:1::2/64")
	w.h2.Address("eth0", "2001:db8:2::2/64")
	w.h1.Route("::/0", "2001:db8:1::1")
	w.h2.Route("::/0", "2001:db8:2::1")
	w.g1.Route("2001:db8:2::/64", "2001:db8::2")
	w.g2.Route("2001:db8:1::/64", "2001:db8::1")
	return w
}

func config6(i int) Config {
	cfg := config(i)
	cfg.Networks = append(cfg.Networks, netip.PrefixFrom(netip.MustParseAddr([]string{"", "2001:db8:1::", "2001:db8:2::"}[i]), 64))
	return cfg
}

// clear6 reports packets that are not ESP, or can be read.
func clear6(t *testing.T, packets [][]byte) {
	t.Helper()
	for _, p := range packets {
		if next := p[6]; bytes.Contains(p, []byte(secret)) || next != unix.IPPROTO_ESP && next != unix.IPPROTO_FRAGMENT {
			t.Errorf("in clear: % x", p)
		}
	}
}

func TestIPv6CrossesHiddenBesideIPv4(t *testing.T) {
	w := newWorld6(t)
	echo(t, w.h2)
	start(t, w.g1, config6(1))
	start(t, w.g2, config6(2))
	tap := w.g1.Tap("wan0")
	for _, size := range []int{0, 100, 1300} {
		if !ask(t, w.h1, "2001:db8:2::2", secret+strings.Repeat("x", size), 5*time.Second) {
			t.Errorf("%d octets did not come back", size)
		}
	}
	packets := tap.IPv6()
	clear6(t, packets)
	for _, p := range packets {
		if p[7] != 63 {
			t.Errorf("Hop Limit %d", p[7])
		}
	}
	if len(packets) != 6 {
		t.Errorf("%d packets on the way, want 6", len(packets))
	}
	if !ask(t, w.h1, "10.1.2.2", secret, 5*time.Second) {
		t.Error("IPv4 does not get through any more")
	}
}

// TestGatewaysOwnIPv6Address asks the gateway itself at its inside address, from the host and from the other gateway.
func TestGatewaysOwnIPv6Address(t *testing.T) {
	w := newWorld6(t)
	echo(t, w.g2)
	start(t, w.g1, config6(1))
	start(t, w.g2, config6(2))
	tap := w.g1.Tap("wan0")
	if !askFrom(t, w.h1, "2001:db8:1::2", "2001:db8:2::1") {
		t.Error("the host gets no answer of the gateway")
	}
	if !askFrom(t, w.g1, "2001:db8:1::1", "2001:db8:2::1") {
		t.Error("the gateway gets no answer of the gateway")
	}
	clear6(t, tap.IPv6())
}

// TestESPToSelf6 shows what the socket makes of a packet: all of the header that counts.
func TestESPToSelf6(t *testing.T) {
	a, b := nettest.New(t).IPv6(), nettest.New(t).IPv6()
	nettest.Connect(a, "eth0", "2001:db8::1/64", b, "eth0", "2001:db8::2/64")
	var in descriptor
	var out int
	b.Do(func() (err error) {
		in, err = openRaw6(unix.IPPROTO_ESP, "eth0")
		return err
	})
	defer in.file.Close()
	a.Do(func() (err error) {
		out, err = raw(unix.AF_INET6, unix.IPPROTO_ESP, "eth0")
		return err
	})
	defer unix.Close(out)
	if err := unix.SetsockoptInt(out, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0xb9); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(out, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, 9); err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddr("2001:db8::2").As16()
	packet, n := make([]byte, 100), 0
	nettest.Eventually(t, "the packet", func() (ok bool) {
		err := unix.Sendto(out, []byte("twelve octet"), 0, &unix.SockaddrInet6{Addr: to})
		if err == nil {
			err = in.conn.Read(func(fd uintptr) bool {
				n, err = in.get(int(fd), packet)
				return true
			})
		}
		return err == nil && n > 0
	})
	own := netip.MustParseAddr("2001:db8::1").As16()
	want := slices.Concat([]byte{0x6b, 0x90, 0, 0, 0, 12, 50, 9}, own[:], to[:], []byte("twelve octet"))
	if !bytes.Equal(packet[:n], want) {
		t.Errorf("% x\nwant % x", packet[:n], want)
	}
}

// TestFragments6 sends a datagram of three fragments, which must reach the gateway as they are.
func TestFragments6(t *testing.T) {
	w := newWorld6(t)
	echo(t, w.h2)
	w.shortenPath(t)
	start(t, w.g1, config6(1))
	start(t, w.g2, config6(2))
	tap := w.g1.Tap("wan0")
	if !ask(t, w.h1, "2001:db8:2::2", strings.Repeat(secret, 100), 5*time.Second) {
		t.Error("the datagram did not come back")
	}
	packets := tap.IPv6()
	clear6(t, packets)
	if len(packets) != 6 {
		t.Errorf("%d packets on the way, want 6", len(packets))
	}
}

// TestClearIPv6FromOutside sends a clear packet towards the inside, which must reach the gateway and not the host.
func TestClearIPv6FromOutside(t *testing.T) {
	w := newWorld6(t)
	s, _ := start(t, w.g2, config6(2))
	w.g1.Set("ipv6/conf/all/forwarding", "1")
	tap := w.h2.Tap("eth0")
	if ask(t, w.h1, "2001:db8:2::2", secret, 100*time.Millisecond) {
		t.Error("an answer to a clear packet")
	}
	if s.strangers.Load() != 1 {
		t.Errorf("the gateway saw %d clear packets, want 1", s.strangers.Load())
	}
	for _, p := range tap.IPv6() {
		t.Errorf("a packet reached the host: % x", p)
	}
}

// TestErrorsAboutDecryptedIPv6 has a packet end at the second gateway after decryption: what that gateway's kernel tells
// the sender quotes it, and has to pass through the gateway.
func TestErrorsAboutDecryptedIPv6(t *testing.T) {
	w := newWorld6(t)
	start(t, w.g1, config6(1))
	start(t, w.g2, config6(2))
	tap := w.g1.Tap("wan0")
	w.h1.Set("ipv6/conf/all/hop_limit", "2")
	w.h1.Set("ipv6/conf/eth0/hop_limit", "2")
	ask(t, w.h1, "2001:db8:2::2", secret, 300*time.Millisecond)
	packets := tap.IPv6()
	if len(packets) != 2 {
		t.Errorf("%d packets on the way, want the datagram and the error", len(packets))
	}
	clear6(t, packets)
}

func TestCloseLeavesNothingOfIPv6(t *testing.T) {
	w := newWorld6(t)
	w.g1.Set("ipv6/conf/lan0/forwarding", "1") // as somebody may have left it
	before := snapshot(t, w.g1)
	_, stop := start(t, w.g1, config6(1))
	if during := snapshot(t, w.g1); !strings.Contains(during, "from 2001:db8:1::/64") {
		t.Fatalf("no rule of IPv6; the test sees nothing:\n%s", during)
	}
	stop()
	if after := snapshot(t, w.g1); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestIPv6SwitchedOnLater has nobody get past a gateway that was opened when there was no IPv6.
func TestIPv6SwitchedOnLater(t *testing.T) {
	w := newWorld6(t)
	echo(t, w.h2)
	w.g1.Set("ipv6/conf/default/disable_ipv6", "1") // so that the devices have none
	w.g2.Set("ipv6/conf/all/forwarding", "1")
	start(t, w.g1, config6(1))
	w.g1.Set("ipv6/conf/all/forwarding", "1")
	tap := w.g1.Tap("wan0")
	if ask(t, w.h1, "2001:db8:2::2", secret, 100*time.Millisecond) {
		t.Error("an answer past the gateway")
	}
	for _, p := range tap.IPv6() {
		t.Errorf("got out: % x", p)
	}
}

// TestKilledDaemonHoldsIPv6 kills a process that has the data plane open: nothing may get out in clear.
func TestKilledDaemonHoldsIPv6(t *testing.T) {
	w := newWorld6(t)
	echo(t, w.h2)
	w.g1.Set("ipv6/conf/all/forwarding", "1")
	w.g2.Set("ipv6/conf/all/forwarding", "1")
	if !ask(t, w.h1, "2001:db8:2::2", secret, 5*time.Second) {
		t.Fatal("no way in clear; the test would prove nothing")
	}
	killOne(t, w.g1)
	tap := w.g1.Tap("wan0")
	if ask(t, w.h1, "2001:db8:2::2", secret, 100*time.Millisecond) {
		t.Error("an answer although the daemon is dead")
	}
	for _, p := range tap.IPv6() {
		t.Errorf("got out: % x", p)
	}
	start(t, w.g1, config6(1))
	start(t, w.g2, config6(2))
	if !ask(t, w.h1, "2001:db8:2::2", secret, 5*time.Second) {
		t.Error("the next daemon does not work")
	}
}

func TestFindBothVersions(t *testing.T) {
	w := newWorld6(t)
	for _, own := range []string{"10.0.0.1", "2001:db8::1"} {
		var found Found
		w.g1.Do(func() (err error) {
			found, err = Find(netip.MustParseAddr(own), config6(1).Networks[1:])
			return err
		})
		if !slices.Equal(found.Inside, []string{"lan0"}) || !slices.Equal(found.Outside, []string{"wan0"}) {
			t.Errorf("%s: %+v", own, found)
		}
	}
}

func TestAddresses(t *testing.T) {
	w := newWorld6(t)
	var got []netip.Addr
	w.g1.Do(func() (err error) {
		got, err = Addresses(config6(1))
		return err
	})
	for _, want := range []string{"10.0.0.1", "2001:db8::1", "10.1.1.1"} {
		if !slices.Contains(got, netip.MustParseAddr(want)) {
			t.Errorf("%s is not among %v", want, got)
		}
	}
	if slices.ContainsFunc(got, netip.Addr.IsLinkLocalUnicast) {
		t.Errorf("addresses of a link: %v", got)
	}
	err := w.g1.Try(func() error {
		_, err := Addresses(Config{Inside: []string{"lan7"}})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "lan7") {
		t.Errorf("%v", err)
	}
}

func TestRoutedPackets(t *testing.T) {
	ip6 := func(from, to string) []byte {
		b := make([]byte, ipv6Header)
		b[0] = 6 << 4
		copy(b[8:], netip.MustParseAddr(from).AsSlice())
		copy(b[24:], netip.MustParseAddr(to).AsSlice())
		return b
	}
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"nothing":                {nil, false},
		"IPv4":                   {[]byte{0x45}, true},
		"half an IPv6 header":    {ip6("2001:db8::1", "2001:db8::2")[:39], false},
		"unicast":                {ip6("2001:db8::1", "2001:db8::2"), true},
		"to a group of the site": {ip6("2001:db8::1", "ff05::1"), true},
		"to a group of the link": {ip6("2001:db8::1", "ff02::16"), false},
		"to a group of the host": {ip6("2001:db8::1", "ff01::1"), false},
		"of the link":            {ip6("fe80::1", "2001:db8::2"), false},
		"to the link":            {ip6("2001:db8::1", "fe80::2"), false},
		"of nobody":              {ip6("::", "2001:db8::2"), false},
		"of another version":     {append([]byte{5 << 4}, make([]byte, 40)...), false},
	} {
		if got := routed(c.packet); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
