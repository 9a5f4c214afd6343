package dataplane

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// source is where packets come from: a device, or a socket for what is not forwarded.
type source interface {
	Read(packet []byte) (int, error)
	Name() string
	Close() error
}

// protocolNames are those of what an SA protects packets with.
var protocolNames = map[int]string{unix.IPPROTO_ESP: "ESP", unix.IPPROTO_AH: "AH"}

// openRaw makes a socket that gets the packets of ESP or AH with their IP header, reassembled, that arrive on an interface for
// the host itself.
func openRaw(protocol int, link string) (source, error) {
	fd, err := raw(unix.AF_INET, protocol, link)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), protocolNames[protocol]+" socket on "+link), nil
}

func raw(domain, protocol int, link string) (int, error) {
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("%s socket: %w", protocolNames[protocol], err)
	}
	if err := unix.BindToDevice(fd, link); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("%s socket on %s: %w", protocolNames[protocol], link, err)
	}
	return fd, nil
}

// raw6 is such a socket for IPv6. The kernel keeps the header of what it gives to one, and tells its fields beside (RFC 3542
// §3, §6); the flow label and extension headers are lost.
type raw6 struct {
	conn     *ipv6.PacketConn
	protocol int
	name     string
}

func openRaw6(protocol int, link string) (source, error) {
	fd, err := raw(unix.AF_INET6, protocol, link)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "IPv6 "+protocolNames[protocol]+" socket on "+link)
	defer file.Close() // FilePacketConn makes a copy
	packets, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	conn := ipv6.NewPacketConn(packets)
	if err := conn.SetControlMessage(ipv6.FlagDst|ipv6.FlagHopLimit|ipv6.FlagTrafficClass, true); err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), errors.Join(err, conn.Close()))
	}
	return &raw6{conn, protocol, file.Name()}, nil
}

// Read makes the packet again that came.
func (s *raw6) Read(packet []byte) (int, error) {
	n, fields, from, err := s.conn.ReadFrom(packet[ipv6Header:])
	if err != nil {
		return 0, err
	}
	sender, ok := from.(*net.IPAddr)
	if !ok || fields == nil {
		return 0, nil
	}
	binary.BigEndian.PutUint32(packet, 6<<28|uint32(fields.TrafficClass)<<20)
	binary.BigEndian.PutUint16(packet[4:], uint16(n))
	packet[6], packet[7] = uint8(s.protocol), uint8(fields.HopLimit)
	copy(packet[8:24], sender.IP.To16())
	copy(packet[24:40], fields.Dst.To16())
	return ipv6Header + n, nil
}

func (s *raw6) Name() string { return s.name }
func (s *raw6) Close() error { return s.conn.Close() }
