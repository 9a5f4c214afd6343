package node

import (
	"encoding/binary"
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

// What waits to be read is seen before it is read, and nothing of a socket that is closed.
func TestReadable(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	more := shared{conn: conn}.readable()
	if more() {
		t.Error("something is there before anything was sent")
	}
	for range 2 {
		if _, err := conn.WriteTo([]byte("one"), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	for _, left := range []bool{true, false} {
		if _, _, err := conn.ReadFrom(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		if more() != left {
			t.Errorf("more is %v", !left)
		}
	}
	if _, err := conn.WriteTo([]byte("one"), conn.LocalAddr()); err != nil || !more() {
		t.Errorf("what has come is not seen: %v", err)
	}
	_ = conn.Close()
	if more() {
		t.Error("something is there after the end")
	}
}

func TestToldNothing(t *testing.T) {
	for _, control := range [][]byte{nil, make([]byte, 3), make([]byte, 40), {16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}} {
		if got := readTold(control); got != (told{}) {
			t.Errorf("%x: %+v", control, got)
		}
	}
}
