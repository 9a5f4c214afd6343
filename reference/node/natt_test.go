package node

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// What arrives on port 4500 comes with DSCP and ECN, over either version of IP; on the other port nobody needs them.
func TestTOSOfTheSharedPort(t *testing.T) {
	for _, c := range []struct {
		listen string
		tos    func(net.Conn) error
	}{
		{"127.0.45.2:0", func(c net.Conn) error { return ipv4.NewConn(c).SetTOS(0xb9) }},
		{"[::1]:0", func(c net.Conn) error { return ipv6.NewConn(c).SetTrafficClass(0xb9) }},
	} {
		s := &script{onPacket: func(d *core.Datagram) []core.Effect {
			return []core.Effect{&core.Send{From: d.To, To: d.From, Data: fmt.Appendf(nil, "%d %s", d.TOS, d.Data)}}
		}}
		at := netip.MustParseAddrPort(c.listen)
		n, _ := run(t, Config{Core: s, Listen: at, NATT: true})
		for to, want := range map[netip.AddrPort]string{netip.AddrPortFrom(at.Addr(), natt.Port): "185 hello", n.Addr(): "0 hello"} {
			conn, err := net.Dial("udp", to.String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			if err := c.tos(conn); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 100)
			if size, err := conn.Read(got); err != nil || string(got[:size]) != want {
				t.Errorf("%s: %q, %v, want %q", to, got[:size], err, want)
			}
		}
	}
}

// A gateway hears port 4500 at each of its addresses, once, and sends from that of its own.
func TestSharedPortOfOtherAddresses(t *testing.T) {
	s := &sockets{}
	own, other := netip.MustParseAddr("127.0.45.3"), netip.MustParseAddr("127.0.45.4")
	for _, more := range [][]netip.Addr{{own}, {own, other}, {other}} {
		if err := s.share(more); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.shared) != 2 || s.shared[1].at != nattAddr(other) || s.from(&core.Send{From: nattAddr(own)}) != s.shared[0].conn ||
		s.from(&core.Send{}) != s.unicast {
		t.Errorf("%+v", s.shared)
	}
	for _, one := range s.shared {
		_ = one.conn.Close()
	}
	if err := s.share([]netip.Addr{netip.MustParseAddr("192.0.2.99")}); err == nil {
		t.Error("an address of somebody else can be bound")
	}
}

// Datagrams of one flow that the kernel hands over at once come one by one.
func TestSeveralAtOnce(t *testing.T) {
	var got []string
	all := make(chan bool)
	s := &script{onPacket: func(d *core.Datagram) []core.Effect {
		if got = append(got, string(d.Data)); len(got) == 4 {
			close(all)
		}
		return nil
	}}
	at := netip.MustParseAddrPort("127.0.45.5:0")
	run(t, Config{Core: s, Listen: at, NATT: true})
	conn, err := net.Dial("udp", netip.AddrPortFrom(at.Addr(), natt.Port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	control := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], 3)
	_, _, err = conn.(*net.UDPConn).WriteMsgUDP([]byte("onetwosixab"), control, nil)
	if err != nil {
		t.Skipf("the kernel sends no datagrams at once: %v", err)
	}
	select {
	case <-all:
	case <-time.After(10 * time.Second):
		t.Fatal("they have not come")
	}
	if want := []string{"one", "two", "six", "ab"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// What came is given, and nothing kept back, before anybody waits.
func TestReadTillNothingIsThere(t *testing.T) {
	for _, network := range []string{"udp4", "udp6"} {
		t.Run(network, func(t *testing.T) {
			loopback := map[string]string{"udp4": "127.0.0.1:0", "udp6": "[::1]:0"}[network]
			conn, err := net.ListenPacket(network, loopback)
			if err != nil {
				t.Skip(err)
			}
			defer conn.Close()
			type event struct {
				data string
				from netip.AddrPort
			}
			events, ended := make(chan event), make(chan error, 1)
			go func() {
				ended <- shared{conn: conn.(*net.UDPConn)}.read(
					func(data []byte, from netip.AddrPort, _ told) { events <- event{string(data), from} },
					func() { events <- event{data: "idle"} })
			}()
			expect := func(want event) {
				t.Helper()
				for late := time.After(10 * time.Second); ; {
					select {
					case got := <-events:
						if got == want {
							return
						}
						if got.data != "idle" { // which it may be once more than it has to
							t.Errorf("%+v, want %+v", got, want)
						}
					case <-late:
						t.Fatalf("%+v has not come", want)
					}
				}
			}
			own := conn.LocalAddr().(*net.UDPAddr).AddrPort()
			expect(event{data: "idle"})
			for _, data := range []string{"one", "two"} {
				if _, err := conn.WriteTo([]byte(data), conn.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				expect(event{data, own})
				expect(event{data: "idle"})
			}
			go func() {
				for range events {
				}
			}()
			_ = conn.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			close(events)
		})
	}
}

// A socket that always has something to read lets go of what was kept back, and ends when it is closed.
func TestReadWithoutEnd(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	again := func() { _, _ = conn.WriteTo([]byte("again"), conn.LocalAddr()) }
	again()
	reads, idles := 0, 0
	err = shared{conn: conn}.read(
		func([]byte, netip.AddrPort, told) { reads++; again() },
		func() {
			if idles++; idles == 3 {
				go conn.Close()
			}
		})
	if !errors.Is(err, net.ErrClosed) || reads < 3*maxReads || idles < 3 {
		t.Errorf("%d reads, %d times idle, %v", reads, idles, err)
	}
}

func TestAddrPort(t *testing.T) {
	local := &unix.SockaddrInet6{Port: 4500, ZoneId: 3, Addr: netip.MustParseAddr("fe80::1").As16()}
	for want, from := range map[string]unix.Sockaddr{
		"192.0.2.1:500": &unix.SockaddrInet4{Port: 500, Addr: [4]byte{192, 0, 2, 1}}, "[fe80::1%3]:4500": local,
		"192.0.2.1:1":     &unix.SockaddrInet6{Port: 1, Addr: netip.MustParseAddr("::ffff:192.0.2.1").As16()},
		"[2001:db8::1]:1": &unix.SockaddrInet6{Port: 1, Addr: netip.MustParseAddr("2001:db8::1").As16()}, "invalid AddrPort": nil,
	} {
		if got := addrPort(from).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestToldNothing(t *testing.T) {
	for _, control := range [][]byte{nil, make([]byte, 3), make([]byte, 40), {16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}} {
		if got := readTold(control); got != (told{}) {
			t.Errorf("%x: %+v", control, got)
		}
	}
}
