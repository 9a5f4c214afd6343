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

// openESP makes a socket that gets the ESP packets with their IP header, reassembled, that arrive on an interface for the
// host itself.
func openESP(link string) (source, error) {
	fd, err := rawESP(unix.AF_INET, link)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "ESP socket on "+link), nil
}

func rawESP(domain int, link string) (int, error) {
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_ESP)
	if err != nil {
		return -1, fmt.Errorf("ESP socket: %w", err)
	}
	if err := unix.BindToDevice(fd, link); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("ESP socket on %s: %w", link, err)
	}
	return fd, nil
}

const ipv6Header = 40

// esp6 is such a socket for IPv6. The kernel keeps the header of what it gives to one, and tells its fields beside (RFC 3542
// §3, §6); the flow label and extension headers are lost.
type esp6 struct {
	conn *ipv6.PacketConn
	name string
}

func openESP6(link string) (source, error) {
	fd, err := rawESP(unix.AF_INET6, link)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "IPv6 ESP socket on "+link)
	defer file.Close() // FilePacketConn makes a copy
	raw, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	conn := ipv6.NewPacketConn(raw)
	if err := conn.SetControlMessage(ipv6.FlagDst|ipv6.FlagHopLimit|ipv6.FlagTrafficClass, true); err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), errors.Join(err, conn.Close()))
	}
	return &esp6{conn, file.Name()}, nil
}

// Read makes the packet again that came.
func (s *esp6) Read(packet []byte) (int, error) {
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
	packet[6], packet[7] = unix.IPPROTO_ESP, uint8(fields.HopLimit)
	copy(packet[8:24], sender.IP.To16())
	copy(packet[24:40], fields.Dst.To16())
	return ipv6Header + n, nil
}

func (s *esp6) Name() string { return s.name }
func (s *esp6) Close() error { return s.conn.Close() }
