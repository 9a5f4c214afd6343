package dataplane

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/internal/inet"
)

// The octets of IP headers that taking packets apart and putting them together is about (RFC 791 §3.1, RFC 8200 §3).
const (
	ipv4Header = 20 // without options
	ipv6Header = 40

	off4Length   = 2
	off4ID       = 4
	off4Fragment = 6
	off4TTL      = 8
	off4Protocol = 9
	off4Checksum = 10
	off4Source   = 12

	off6Length = 4
	off6Next   = 6
)

// And those of TCP and UDP headers (RFC 9293 §3.1, RFC 768).
const (
	offSequence  = 4
	offAck       = 8
	offTCPLength = 12
	offFlags     = 13
	offWindow    = 14
	offUrgent    = 18
	tcpHeader    = 20 // without options

	offUDPLength = 4
	udpHeader    = 8

	flagFIN = 0x01
	flagSYN = 0x02
	flagRST = 0x04
	flagPSH = 0x08
	flagACK = 0x10
	flagURG = 0x20
	flagCWR = 0x80
)

// setLength sets the length of an IP packet, and the checksum of an IPv4 header.
func setLength(p []byte) {
	if p[0]>>4 == 6 {
		binary.BigEndian.PutUint16(p[off6Length:], uint16(len(p)-ipv6Header))
		return
	}
	binary.BigEndian.PutUint16(p[off4Length:], uint16(len(p)))
	p[off4Checksum], p[off4Checksum+1] = 0, 0
	binary.BigEndian.PutUint16(p[off4Checksum:], inet.Checksum(p[:int(p[0]&0x0f)*4]))
}
