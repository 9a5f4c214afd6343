package dataplane

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// protocolNames are those of what an SA protects packets with.
var protocolNames = map[int]string{unix.IPPROTO_ESP: "ESP", unix.IPPROTO_AH: "AH"}

// openRaw makes a socket that gets the packets of ESP or AH with their IP header, reassembled, that arrive on an interface for
// the host itself.
func openRaw(protocol int, link string) (descriptor, error) {
	fd, err := raw(unix.AF_INET, protocol, link)
	if err != nil {
		return descriptor{}, err
	}
	return newDescriptor(fd, protocolNames[protocol]+" socket on "+link, unix.Read)
}

// receiveRoom is for what comes faster than it is decrypted for a while. The kernel's own would hold some ninety packets.
const receiveRoom = 4 << 20

func raw(domain, protocol int, link string) (int, error) {
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("%s socket: %w", protocolNames[protocol], err)
	}
	if err := unix.BindToDevice(fd, link); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("%s socket on %s: %w", protocolNames[protocol], link, err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveRoom)
	return fd, nil
}

// openRaw6 makes such a socket for IPv6. The kernel keeps the header of what it gives to one, and tells its fields beside (RFC 3542
// §3, §6); the flow label and extension headers are lost.
func openRaw6(protocol int, link string) (descriptor, error) {
	name := "IPv6 " + protocolNames[protocol] + " socket on " + link
	fd, err := raw(unix.AF_INET6, protocol, link)
	if err != nil {
		return descriptor{}, err
	}
	for _, field := range []int{unix.IPV6_RECVPKTINFO, unix.IPV6_RECVHOPLIMIT, unix.IPV6_RECVTCLASS} {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, field, 1); err != nil {
			return descriptor{}, errors.Join(fmt.Errorf("%s: %w", name, err), unix.Close(fd))
		}
	}
	told := make([]byte, 128)
	return newDescriptor(fd, name, func(fd int, packet []byte) (int, error) { return readRaw6(fd, uint8(protocol), packet, told) })
}

// readRaw6 makes the packet again that came.
func readRaw6(fd int, protocol uint8, packet, told []byte) (int, error) {
	n, size, _, from, err := unix.Recvmsg(fd, packet[ipv6Header:], told, 0)
	if err != nil {
		return 0, err
	}
	clear(packet[:ipv6Header])
	packet[0], packet[off6Next] = 6<<4, protocol
	binary.BigEndian.PutUint16(packet[off6Length:], uint16(n))
	if sender, ok := from.(*unix.SockaddrInet6); ok {
		copy(packet[8:24], sender.Addr[:])
	}
	setTold(packet, told[:size])
	return ipv6Header + n, nil
}

// setTold puts the fields of an IPv6 header into their places that the kernel tells of beside the packet.
func setTold(packet, told []byte) {
	for len(told) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(told)
		if err != nil || h.Level != unix.IPPROTO_IPV6 || len(data) < 4 {
			return
		}
		switch told = rest; {
		case h.Type == unix.IPV6_PKTINFO && len(data) >= 16:
			copy(packet[24:40], data[:16])
		case h.Type == unix.IPV6_HOPLIMIT:
			packet[7] = uint8(binary.NativeEndian.Uint32(data))
		case h.Type == unix.IPV6_TCLASS:
			binary.BigEndian.PutUint16(packet, 6<<12|uint16(binary.NativeEndian.Uint32(data)&0xff)<<4)
		}
	}
}
