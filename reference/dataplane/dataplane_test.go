package dataplane

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is two hosts behind two gateways:
//
//	h1 10.1.1.2 --- lan0 10.1.1.1 [g1] 10.0.0.1 wan0 === wan0 10.0.0.2 [g2] 10.1.2.1 lan0 --- h2 10.1.2.2
type world struct{ h1, g1, g2, h2 *nettest.Space }

func newWorld(t *testing.T) world {
	w := world{h1: nettest.New(t), g1: nettest.New(t), g2: nettest.New(t), h2: nettest.New(t)}
	w.connect()
	return w
}

func (w world) connect() {
	nettest.Connect(w.g1, "wan0", "10.0.0.1/24", w.g2, "wan0", "10.0.0.2/24")
	nettest.Connect(w.h1, "eth0", "10.1.1.2/24", w.g1, "lan0", "10.1.1.1/24")
	nettest.Connect(w.h2, "eth0", "10.1.2.2/24", w.g2, "lan0", "10.1.2.1/24")
	w.h1.Route("0.0.0.0/0", "10.1.1.1")
	w.h2.Route("0.0.0.0/0", "10.1.2.1")
	w.g1.Route("10.1.2.0/24", "10.0.0.2")
	w.g2.Route("10.1.1.0/24", "10.0.0.1")
}

func config(i int) Config {
	return Config{
		Name: fmt.Sprintf("g%d", i), Inside: []string{"lan0"}, Outside: []string{"wan0"},
		Networks: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.1.%d.0/24", i))},
	}
}

// scrambler stands for a gateway: it hides a packet in one with the same addresses and the protocol ESP.
type scrambler struct {
	largest, strangers atomic.Int64
	buffers            [2][maxPacket + 28]byte // by the side from which a packet comes
}

const hidden = 28 // octets in front of the packet

func (s *scrambler) handle(from core.Side, packet []byte, emit func(core.Side, []byte)) {
	if from == core.Inside {
		if n := int64(len(packet)); n > s.largest.Load() {
			s.largest.Store(n)
		}
		if packet[0]>>4 == 6 {
			s.handle6(from, packet, emit)
			return
		}
		out := s.buffers[from][:hidden+len(packet)]
		outer(out, packet)
		for i, c := range packet {
			out[hidden+i] = c ^ 0x5a
		}
		emit(core.Outside, out)
		return
	}
	if packet[0]>>4 == 6 {
		s.handle6(from, packet, emit)
		return
	}
	if len(packet) < hidden+20 || packet[9] != unix.IPPROTO_ESP {
		s.strangers.Add(1)
		return
	}
	out := make([]byte, len(packet)-hidden)
	for i := range out {
		out[i] = packet[hidden+i] ^ 0x5a
	}
	emit(core.Inside, out)
}

// outer writes an IPv4 header with the addresses of the inner packet.
func outer(out, inner []byte) {
	clear(out[:hidden])
	out[0], out[8], out[9] = 0x45, 64, unix.IPPROTO_ESP
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	copy(out[12:20], inner[12:20])
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(out[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(out[10:], ^uint16(sum))
}

// start opens the data plane in the gateway's namespace and runs it outside, until the test ends or stop is called.
func start(t *testing.T, space *nettest.Space, cfg Config) (s *scrambler, stop func()) {
	t.Helper()
	var d *Device
	space.Do(func() (err error) {
		d, err = Open(cfg)
		return err
	})
	s = new(scrambler)
	done := make(chan error, 1)
	go func() { done <- d.Run(new(sync.Mutex), s.handle) }()
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

// echo answers on UDP and TCP port 7 of a namespace until the test ends.
func echo(t *testing.T, space *nettest.Space) {
	t.Helper()
	var udp net.PacketConn
	var tcp net.Listener
	space.Do(func() (err error) {
		if udp, err = net.ListenPacket("udp", ":7"); err != nil {
			return err
		}
		tcp, err = net.Listen("tcp", ":7")
		return err
	})
	done := make(chan bool, 2)
	go func() {
		defer func() { done <- true }()
		buffer := make([]byte, maxPacket)
		for {
			n, from, err := udp.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo(buffer[:n], from)
		}
	}()
	go func() {
		defer func() { done <- true }()
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { udp.Close(); tcp.Close(); <-done; <-done })
}

// ask sends a UDP message and reports whether it came back within the patience.
func ask(t *testing.T, space *nettest.Space, to, message string, patience time.Duration) bool {
	t.Helper()
	var conn net.Conn
	space.Do(func() (err error) {
		conn, err = net.Dial("udp", net.JoinHostPort(to, "7"))
		return err
	})
	defer conn.Close()
	if _, err := conn.Write([]byte(message)); err != nil {
		return false
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	buffer := make([]byte, maxPacket)
	n, err := conn.Read(buffer)
	return err == nil && string(buffer[:n]) == message
}

const secret = "nobody on the way may read this"

func TestPacketsCrossHidden(t *testing.T) {
	w := newWorld(t)
	echo(t, w.h2)
	start(t, w.g1, config(1))
	start(t, w.g2, config(2))
	tap := w.g1.Tap("wan0")
	for _, size := range []int{0, 100, 1300} {
		if !ask(t, w.h1, "10.1.2.2", secret+strings.Repeat("x", size), 5*time.Second) {
			t.Errorf("%d octets did not come back", size)
		}
	}
	hidden := 0
	for _, p := range tap.IPv4() {
		if bytes.Contains(p, []byte(secret)) || p[9] != unix.IPPROTO_ESP {
			t.Errorf("in clear: % x", p)
		}
		if p[8] != 63 {
			t.Errorf("TTL %d", p[8])
		}
		hidden++
	}
	if hidden != 6 {
		t.Errorf("%d packets on the way, want 6", hidden)
	}
}

// TestBulk moves data over TCP, whose senders hand the kernel up to 64 KiB at a time.
func TestBulk(t *testing.T) {
	w := newWorld(t)
	echo(t, w.h2)
	s1, _ := start(t, w.g1, config(1))
	s2, _ := start(t, w.g2, config(2))
	w.shortenPath(t)
	var conn net.Conn
	w.h1.Do(func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		conn, err = new(net.Dialer).DialContext(ctx, "tcp4", "10.1.2.2:7")
		return err
	})
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() { _, _ = conn.Write(data); _ = conn.(*net.TCPConn).CloseWrite() }()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d of %d octets came back: %v", len(got), len(data), err)
	}
	for i, s := range []*scrambler{s1, s2} {
		if largest := s.largest.Load(); largest > 1400 {
			t.Errorf("gateway %d got a packet of %d octets; it should get segments of at most 1400", i+1, largest)
		}
	}
}

// shortenPath leaves room for what the gateways put in front.
func (w world) shortenPath(t *testing.T) {
	t.Helper()
	for _, h := range []*nettest.Space{w.h1, w.h2} {
		h.Do(func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			return netlink.LinkSetMTU(link, 1400)
		})
	}
}

// TestGatewaysOwnAddress asks the gateway itself at its inside address, from the host and from the other gateway.
func TestGatewaysOwnAddress(t *testing.T) {
	w := newWorld(t)
	echo(t, w.g2)
	start(t, w.g1, config(1))
	start(t, w.g2, config(2))
	tap := w.g1.Tap("wan0")
	if !askFrom(t, w.h1, "10.1.1.2", "10.1.2.1") {
		t.Error("the host gets no answer of the gateway")
	}
	if !askFrom(t, w.g1, "10.1.1.1", "10.1.2.1") {
		t.Error("the gateway gets no answer of the gateway")
	}
	for _, p := range tap.IPv4() {
		if p[9] != unix.IPPROTO_ESP {
			t.Errorf("in clear: % x", p)
		}
	}
}

// askFrom asks by TCP, whose answers come from the address that was asked.
func askFrom(t *testing.T, space *nettest.Space, own, to string) bool {
	t.Helper()
	var conn net.Conn
	err := space.Try(func() (err error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(own)}, Timeout: 5 * time.Second}
		conn, err = d.Dial("tcp", net.JoinHostPort(to, "7"))
		return err
	})
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write([]byte(secret)); err != nil {
		return false
	}
	got := make([]byte, len(secret))
	_, err = io.ReadFull(conn, got)
	return err == nil && string(got) == secret
}

// TestFragments sends a datagram of three fragments, which must reach the gateway as they are.
func TestFragments(t *testing.T) {
	w := newWorld(t)
	echo(t, w.h2)
	w.shortenPath(t)
	start(t, w.g1, config(1))
	start(t, w.g2, config(2))
	tap := w.g1.Tap("wan0")
	if !ask(t, w.h1, "10.1.2.2", strings.Repeat(secret, 100), 5*time.Second) {
		t.Error("the datagram did not come back")
	}
	if n := len(tap.IPv4()); n != 6 {
		t.Errorf("%d packets on the way, want 6", n)
	}
}

// TestClearFromOutside sends a clear packet towards the inside, which must reach the gateway and not the host.
func TestClearFromOutside(t *testing.T) {
	w := newWorld(t)
	s, _ := start(t, w.g2, config(2))
	w.g1.Set("ipv4/ip_forward", "1")
	tap := w.h2.Tap("eth0")
	if ask(t, w.h1, "10.1.2.2", secret, 100*time.Millisecond) {
		t.Error("an answer to a clear packet")
	}
	if s.strangers.Load() != 1 {
		t.Errorf("the gateway saw %d clear packets, want 1", s.strangers.Load())
	}
	for _, p := range tap.IPv4() {
		t.Errorf("a packet reached the host: % x", p)
	}
}

// TestErrorsAboutDecryptedPackets has a packet end at the second gateway after decryption. What that gateway's kernel tells
// the sender quotes it, and has to pass through the gateway.
func TestErrorsAboutDecryptedPackets(t *testing.T) {
	w := newWorld(t)
	start(t, w.g1, config(1))
	start(t, w.g2, config(2))
	tap := w.g1.Tap("wan0")
	w.h1.Set("ipv4/ip_default_ttl", "2")
	ask(t, w.h1, "10.1.2.2", secret, 300*time.Millisecond)
	packets := tap.IPv4()
	if len(packets) != 2 {
		t.Errorf("%d packets on the way, want the datagram and the error", len(packets))
	}
	for _, p := range packets {
		if p[9] != unix.IPPROTO_ESP || bytes.Contains(p, []byte(secret)) {
			t.Errorf("in clear: % x", p)
		}
	}
}

// TestBetweenInsideInterfaces joins a second network to a gateway, to which packets go without passing through it.
func TestBetweenInsideInterfaces(t *testing.T) {
	w := newWorld(t)
	h3 := nettest.New(t)
	nettest.Connect(h3, "eth0", "10.1.3.2/24", w.g1, "lan1", "10.1.3.1/24")
	h3.Route("0.0.0.0/0", "10.1.3.1")
	echo(t, h3)
	cfg := config(1)
	cfg.Inside = append(cfg.Inside, "lan1")
	s, _ := start(t, w.g1, cfg)
	if !ask(t, w.h1, "10.1.3.2", secret, 5*time.Second) {
		t.Error("no answer from the other inside network")
	}
	if s.largest.Load() != 0 {
		t.Error("the packet went through the gateway")
	}
}

// snapshot is everything that a data plane changes.
func snapshot(t *testing.T, space *nettest.Space) string {
	t.Helper()
	var text strings.Builder
	space.Do(func() error {
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			if err := snapshotRouting(&text, family); err != nil {
				return err
			}
		}
		links, err := netlink.LinkList()
		for _, l := range links {
			fmt.Fprintln(&text, l.Attrs().Name)
		}
		return err
	})
	for _, name := range []string{"all/rp_filter", "wan0/rp_filter", "wan0/forwarding", "lan0/rp_filter", "lan0/forwarding"} {
		fmt.Fprintln(&text, name, space.Setting("ipv4/conf/"+name))
	}
	for _, name := range []string{"all", "default", "wan0", "lan0"} {
		fmt.Fprintln(&text, name, space.Setting("ipv6/conf/"+name+"/forwarding"))
	}
	return text.String()
}

// snapshotRouting is the rules and routes of a version. The kernel makes and ages multicast routes of IPv6 as it likes.
func snapshotRouting(text io.Writer, family int) error {
	rules, err := netlink.RuleList(family)
	if err != nil {
		return err
	}
	fmt.Fprintln(text, rules)
	routes, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return err
	}
	for _, r := range routes {
		if r.Dst == nil || !r.Dst.IP.IsMulticast() && !r.Dst.IP.IsLinkLocalUnicast() {
			fmt.Fprintln(text, r)
		}
	}
	return nil
}

func TestCloseLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.g1.Set("ipv4/conf/all/rp_filter", "1")
	w.g1.Set("ipv4/conf/wan0/rp_filter", "2")
	before := snapshot(t, w.g1)
	_, stop := start(t, w.g1, config(1))
	if during := snapshot(t, w.g1); during == before {
		t.Fatal("nothing changed; the test sees nothing")
	}
	stop()
	if after := snapshot(t, w.g1); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestSecondDaemon starts a second one of the same name, which must fail and leave the first at work.
func TestSecondDaemon(t *testing.T) {
	w := newWorld(t)
	echo(t, w.h2)
	start(t, w.g1, config(1))
	start(t, w.g2, config(2))
	err := w.g1.Try(func() error {
		_, err := Open(config(1))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "g1-in is in use") {
		t.Errorf("error %v", err)
	}
	if !ask(t, w.h1, "10.1.2.2", secret, 5*time.Second) {
		t.Error("the first daemon does not work any more")
	}
}

// TestOpenFails leaves nothing behind when an interface is missing.
func TestOpenFails(t *testing.T) {
	w := newWorld(t)
	before := snapshot(t, w.g1)
	for _, cfg := range []Config{
		{Name: "x", Inside: []string{"lan0"}, Outside: []string{"wan9"}},
		{Name: "x", Inside: []string{"lan9"}, Outside: []string{"wan0"}},
		{Name: "x", Inside: []string{"lan0"}},
		{Name: "x", Outside: []string{"wan0"}},
	} {
		err := w.g1.Try(func() error {
			d, err := Open(cfg)
			if err == nil {
				err = d.Close()
				t.Errorf("%+v: no error", cfg)
			}
			return err
		})
		t.Log(err)
		if after := snapshot(t, w.g1); after != before {
			t.Errorf("%+v\nbefore:\n%s\nafter:\n%s", cfg, before, after)
		}
	}
}

// TestKilledDaemon kills a process that has the data plane open: nothing may get out in clear, and the next start works.
func TestKilledDaemon(t *testing.T) {
	if os.Getenv("DATAPLANE_TO_BE_KILLED") != "" {
		d, err := Open(config(1))
		fmt.Println("opened", err)
		_ = d.Run(new(sync.Mutex), func(core.Side, []byte, func(core.Side, []byte)) {})
		return
	}
	w := newWorld(t)
	echo(t, w.h2)
	w.g1.Set("ipv4/ip_forward", "1")
	w.g2.Set("ipv4/ip_forward", "1")
	if !ask(t, w.h1, "10.1.2.2", secret, 5*time.Second) {
		t.Fatal("no way in clear; the test would prove nothing")
	}
	before := snapshot(t, w.g1)
	killOne(t, w.g1)
	tap := w.g1.Tap("wan0")
	if ask(t, w.h1, "10.1.2.2", secret, 100*time.Millisecond) {
		t.Error("an answer although the daemon is dead")
	}
	for _, p := range tap.IPv4() {
		t.Errorf("got out: % x", p)
	}
	_, stop1 := start(t, w.g1, config(1))
	start(t, w.g2, config(2))
	if !ask(t, w.h1, "10.1.2.2", secret, 5*time.Second) {
		t.Error("the next daemon does not work")
	}
	stop1()
	if after := snapshot(t, w.g1); strings.Join(strings.Split(after, "\n")[:1], "") != strings.Join(strings.Split(before, "\n")[:1], "") {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// killOne runs this test in a process of its own until it has the data plane, and kills it.
func killOne(t *testing.T, space *nettest.Space) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestKilledDaemon$")
	cmd.Env = append(os.Environ(), "DATAPLANE_TO_BE_KILLED=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	space.Do(cmd.Start)
	line := make([]byte, 12)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "opened <nil>" {
		t.Errorf("%q: %v", line, err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func TestDeviceNames(t *testing.T) {
	for in, want := range map[string][2]string{
		"gm1":         {"gm1-in", "gm1-out"},
		"a/b:c d":     {"a_b_c_d-in", "a_b_c_d-out"},
		"elevenchars": {"elevenchars-in", "elevenchars-out"},
	} {
		if got := deviceNames(in); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
	one, other := deviceNames("a-very-long-name-1"), deviceNames("a-very-long-name-2")
	if one == other || len(one[1]) > 15 || !strings.HasPrefix(one[0], "a-very") {
		t.Errorf("%v, %v", one, other)
	}
}

func TestFind(t *testing.T) {
	w := newWorld(t)
	var found Found
	w.g1.Do(func() (err error) {
		found, err = Find(netip.MustParseAddr("10.0.0.1"), []netip.Prefix{netip.MustParsePrefix("10.1.1.0/24")})
		return err
	})
	if fmt.Sprint(found) != "{[lan0] [wan0]}" {
		t.Errorf("%+v", found)
	}
	w.g1.Do(func() (err error) {
		found, err = Find(netip.MustParseAddr("10.0.0.9"), []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
		return err
	})
	if len(found.Inside)+len(found.Outside) != 0 {
		t.Errorf("%+v", found)
	}
}

// tunOf has a file stand for a device.
func tunOf(t *testing.T, file *os.File) *tun {
	t.Helper()
	fd, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	made, err := newTUN(fd, file.Name(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.file.Close() })
	return made
}

func stopOf(t *testing.T) *stop {
	t.Helper()
	s, err := newStop()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNoAllocation counts what a packet costs between a read and a write.
func TestNoAllocation(t *testing.T) {
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	sink := tunOf(t, out)
	source := tunOf(t, in)
	d := &Device{tuns: [2]*tun{sink, sink}, stop: stopOf(t)}
	passed, ended := make(chan bool), make(chan error)
	go func() {
		ended <- d.pump(source, core.Inside, new(sync.Mutex), func(from core.Side, packet []byte, emit func(core.Side, []byte)) {
			emit(core.Outside, packet)
			passed <- true
		})
	}()
	packet := make([]byte, vnetLen+100)
	outer(packet[vnetLen:], packet[vnetLen:])
	n := testing.AllocsPerRun(1000, func() {
		_, _ = feed.Write(packet)
		<-passed
	})
	if n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
	_, _ = feed.Write(make([]byte, 40)) // no IP packet: it goes no further
	_, _ = feed.Write(make([]byte, 5))  // not even a header of the device
	if err := d.stop.give(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_, _ = in.Close(), feed.Close()
}

// TestStopsUnderLoad stops a reader that always has something to read.
func TestStopsUnderLoad(t *testing.T) {
	zeros, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zeros.Close()
	d, read := &Device{stop: stopOf(t)}, make(chan bool)
	ended := make(chan error)
	go func() {
		var once sync.Once
		ended <- tunOf(t, zeros).read(d.stop, func([]byte) { once.Do(func() { close(read) }) }, func() {})
	}()
	<-read
	if err := d.stop.give(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// TestPumpReportsBrokenDevice ends everything when one source can no longer be read.
func TestPumpReportsBrokenDevice(t *testing.T) {
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = feed.Close()
	space := nettest.New(t)
	var handle *netlink.Handle
	space.Do(func() (err error) {
		handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	broken := tunOf(t, in)
	d := &Device{tuns: [2]*tun{broken, broken}, routing: newRouting(handle, config(1)), stop: stopOf(t)}
	err = d.Run(new(sync.Mutex), func(core.Side, []byte, func(core.Side, []byte)) { t.Error("a packet of a broken device") })
	if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "reading ") {
		t.Error(err)
	}
}
