package netbench

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	port   = 5001
	warmUp = 300 * time.Millisecond // of which nothing is counted
	batch  = 64                     // datagrams of one system call
)

// listen opens a UDP socket with room for what comes faster than it is read.
func (s *site) listen(e ends) (conn *net.UDPConn) {
	s.b.Helper()
	e.of(s)[1].Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{Port: port})
		return err
	})
	_ = conn.SetReadBuffer(4 << 20)
	return conn
}

func (s *site) dial(e ends) (conn *net.UDPConn) {
	s.b.Helper()
	e.of(s)[0].Do(func() (err error) {
		conn, err = net.DialUDP("udp4", &net.UDPAddr{IP: e.from.AsSlice()}, net.UDPAddrFromAddrPort(netip.AddrPortFrom(e.to, port)))
		return err
	})
	return conn
}

// datagrams sends datagrams of a length from the first end as fast as it can, and returns how many a second the other one gets.
func (s *site) datagrams(e ends, length int, lasting time.Duration) float64 {
	s.b.Helper()
	in := s.listen(e)
	defer in.Close()
	out := s.dial(e)
	var sender sync.WaitGroup
	sender.Go(func() { blast(out, length) })
	defer sender.Wait()
	defer out.Close()
	count(in, warmUp)
	begun := time.Now()
	n := count(in, lasting)
	if n == 0 {
		s.b.Errorf("no datagram of %d octets has come", length)
	}
	return float64(n) / time.Since(begun).Seconds()
}

// blast sends until the socket is closed.
func blast(conn *net.UDPConn, length int) {
	messages := make([]ipv4.Message, batch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, length)}
	}
	out := ipv4.NewPacketConn(conn)
	for {
		if _, err := out.WriteBatch(messages, 0); errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// count reads datagrams for a time.
func count(conn *net.UDPConn, lasting time.Duration) (n int) {
	messages := make([]ipv4.Message, batch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, 2048)}
	}
	in := ipv4.NewPacketConn(conn)
	_ = conn.SetReadDeadline(time.Now().Add(lasting))
	for {
		read, err := in.ReadBatch(messages, 0)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return n
		}
		n += read
	}
}

// stream sends one TCP stream from the first end as fast as it can, and returns how many Mbit a second the other one gets.
func (s *site) stream(e ends, lasting time.Duration) float64 {
	s.b.Helper()
	var listener net.Listener
	e.of(s)[1].Do(func() (err error) {
		listener, err = net.Listen("tcp4", netip.AddrPortFrom(e.to, port).String())
		return err
	})
	defer listener.Close()
	var out net.Conn
	e.of(s)[0].Do(func() (err error) {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: e.from.AsSlice()}, Timeout: 10 * time.Second, Control: congest}
		out, err = from.Dial("tcp4", netip.AddrPortFrom(e.to, port).String())
		return err
	})
	in, err := listener.Accept()
	if err != nil {
		s.b.Fatal(err)
	}
	defer in.Close()
	var sender sync.WaitGroup
	sender.Go(func() {
		for chunk := make([]byte, 128<<10); ; {
			if _, err := out.Write(chunk); err != nil {
				return
			}
		}
	})
	defer sender.Wait()
	defer out.Close()
	drain(in, warmUp)
	begun := time.Now()
	octets := drain(in, lasting)
	return float64(octets) * 8 / 1e6 / time.Since(begun).Seconds()
}

// congestion is how the sender of a stream finds out how much the path carries: as Linux does by itself, and not as a machine may have been
// told to. BBR sends as fast as it has estimated, and leaves gateways idle that could do more.
const congestion = "cubic"

func congest(_, _ string, raw syscall.RawConn) (err error) {
	failed := raw.Control(func(fd uintptr) {
		err = os.NewSyscallError("TCP congestion control "+congestion, unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, congestion))
	})
	return errors.Join(err, failed)
}

// drain reads for a time.
func drain(conn net.Conn, lasting time.Duration) (octets int64) {
	_ = conn.SetReadDeadline(time.Now().Add(lasting))
	for buffer := make([]byte, 256<<10); ; {
		n, err := conn.Read(buffer)
		octets += int64(n)
		if err != nil || errors.Is(err, io.EOF) {
			return octets
		}
	}
}
