package lab

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPacketsKeepTheirOrder sends from another processor with every packet, as a busy sender may be moved at any time.
func TestPacketsKeepTheirOrder(t *testing.T) {
	needKernel(t)
	const packets, port = 2000, 9
	ctx := context.Background()
	opened, err := Namespaces{}.Open(ctx, Plan{Members: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := opened.(*kernelNet)
	defer n.Close()
	to := netip.AddrPortFrom(KeyServerAddr, port)
	if err := n.inside(MemberName(1), func() error { return sendFromEveryProcessor(to, packets) }); err != nil {
		t.Fatal(err)
	}
	var got []uint32
	numbers := func() []uint32 {
		got = got[:0]
		for _, f := range n.Frames() {
			if p, ok := ParseIPv4(f.Packet); ok && p.Destination == to.Addr() && p.Protocol == unix.IPPROTO_UDP {
				got = append(got, binary.BigEndian.Uint32(p.Payload[8:]))
			}
		}
		return got
	}
	if !n.Wait(ctx, Patience, func() bool { return len(numbers()) == packets }) {
		t.Fatalf("%d packets of %d came over the wire", len(got), packets)
	}
	for i, number := range got {
		if number != uint32(i) {
			t.Fatalf("packet %d is number %d", i, number)
		}
	}
}

// sendFromEveryProcessor sends numbered packets from the calling thread, which it moves on after each.
func sendFromEveryProcessor(to netip.AddrPort, packets int) error {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &allowed)
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	var processors []int
	for cpu := range runtime.NumCPU() * 8 {
		if allowed.IsSet(cpu) {
			processors = append(processors, cpu)
		}
	}
	for i := range packets {
		var one unix.CPUSet
		one.Set(processors[i%len(processors)])
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			return err
		}
		if _, err := conn.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, uint32(i)), to); err != nil {
			return err
		}
	}
	return nil
}

// TestWhatCrossedIsKnownThoughNobodyCameToReadIt has the readers of the LANs end, as if they never got a processor: a packet is in the
// capture nevertheless, and in front of the one on the WAN that it came from.
func TestWhatCrossedIsKnownThoughNobodyCameToReadIt(t *testing.T) {
	needKernel(t)
	ctx := context.Background()
	opened, err := Namespaces{}.Open(ctx, Plan{Members: 2, Hosts: true})
	if err != nil {
		t.Fatal(err)
	}
	n := opened.(*kernelNet)
	defer n.Close()
	for _, s := range n.taps {
		if err := s.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		<-s.done
	}
	for i := 1; i <= 2; i++ {
		err := n.inside(MemberName(i), func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644) })
		if err != nil {
			t.Fatal(err)
		}
	}
	const port = 9
	err = n.inside(HostName(1), func() error {
		return sendFromEveryProcessor(netip.AddrPortFrom(HostAddr(2), port), 20)
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	if !n.Wait(ctx, Patience, func() bool {
		clear(seen)
		for _, f := range n.Frames() {
			if p, ok := ParseIPv4(f.Packet); ok && p.Protocol == unix.IPPROTO_UDP && p.Source == HostAddr(1) {
				seen[f.Link]++
				if seen["wan"] > seen[LANName(1)] || seen[LANName(2)] > seen["wan"] {
					t.Fatalf("a packet on %s stands in front of the one that it came from: %v", f.Link, seen)
				}
			}
		}
		return seen[LANName(2)] == 20
	}) {
		t.Fatalf("20 packets were sent, the capture has %v", seen)
	}
}
