package daemon

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// tcpReceiver listens for one connection after another.
func tcpReceiver(t *testing.T, at string) (net.Listener, policy.LogReceiver) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, policy.LogReceiver{Network: policy.LogTCP, Address: netip.MustParseAddrPort(l.Addr().String())}
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestReceiverCountsOctets(t *testing.T) {
	l, to := tcpReceiver(t, "127.0.0.1:0")
	r := newReceiver(to)
	fmt.Fprint(r, "first line")
	fmt.Fprint(r, "second")
	conn := accept(t, l)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "10 first line6 second" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReceiverComesBack(t *testing.T) {
	l, to := tcpReceiver(t, "127.0.0.1:0")
	to.Framing = policy.FrameByLineFeed
	r := newReceiver(to)
	defer r.Close()
	fmt.Fprint(r, "one")
	conn := accept(t, l)
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "one\n" {
		t.Fatalf("%q, %v", line, err)
	}
	at := l.Addr().String()
	conn.Close()
	l.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // until a line finds out that the connection has ended, it may be lost
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				fmt.Fprintf(r, "line %d", n)
			}
		}
	}()
	again, _ := tcpReceiver(t, at)
	line, err := bufio.NewReader(accept(t, again)).ReadString('\n')
	close(stop)
	<-stopped
	if !strings.HasPrefix(line, "line ") || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}

// Lines for nobody cost nothing, however many there are.
func TestReceiverNeverWaits(t *testing.T) {
	l, to := tcpReceiver(t, "127.0.0.1:0")
	l.Close()
	r := newReceiver(to)
	for range 3 * waitingLines {
		if n, err := r.Write([]byte("lost")); n != 4 || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestReceiverOfDatagrams(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := newReceiver(policy.LogReceiver{Network: policy.LogUDP, Address: netip.MustParseAddrPort(conn.LocalAddr().String())})
	fmt.Fprint(r, "a line")
	_ = r.Close()
	buffer := make([]byte, 100)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := conn.ReadFrom(buffer); err != nil || string(buffer[:n]) != "a line" {
		t.Errorf("%q, %v", buffer[:n], err)
	}
}

func TestLineFormat(t *testing.T) {
	for name, test := range map[string]struct {
		format  policy.LogFormat
		profile policy.Profile
		want    string
	}{
		"RFC 5424":            {policy.LogRFC5424, policy.ProfileGETVPN, "<133>1 2026-"},
		"RFC 3164":            {policy.LogRFC3164, policy.ProfileRFC6407, "<133>Jul 28 23:42:41 ks gdoi: STARTED"},
		"RFC 3164 of GET VPN": {policy.LogRFC3164, policy.ProfileGETVPN, "<189>7: *Jul 28 23:42:41.000: %GDOILAB-5-STARTED: up"},
	} {
		line := lineFormat("ks", test.format, test.profile)(7, time.Date(2026, 7, 28, 23, 42, 41, 0, time.UTC),
			&core.Log{Severity: core.Notice, Tag: "STARTED", Text: "up"})
		if !strings.HasPrefix(line, test.want) {
			t.Errorf("%s: %q", name, line)
		}
	}
}
