package esp

import "encoding/binary"

const (
	ip4Header = 20
	ip6Header = 40
)

// clearMutable sets to zero what changes in IP headers on their way, and fills in the length (RFC 4302 §3.3.3.1). The headers end
// where AH begins. Source routes are not followed: their packets are authentic only where they arrive.
func clearMutable(packet []byte, at int) {
	if packet[0]>>4 == 6 {
		clearMutable6(packet, at)
		return
	}
	packet[1] = 0 // DSCP and ECN
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	packet[6], packet[7] = 0, 0 // flags and fragment offset
	packet[8] = 0               // TTL
	packet[10], packet[11] = 0, 0
	clearOptions4(packet[ip4Header:at])
}

// The IPv4 options that do not change: security, extended security, commercial security, router alert, and sender directed
// multi-destination delivery (RFC 4302 appendix A1).
var immutable4 = map[byte]bool{130: true, 133: true, 134: true, 148: true, 149: true}

const (
	option4End = 0
	option4NOP = 1
)

// clearOptions4 clears each option that may change, with its type and length. What is no option is left as it is.
func clearOptions4(options []byte) {
	for len(options) > 0 && options[0] != option4End {
		n := 1
		if options[0] != option4NOP {
			if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
				return
			}
			n = int(options[1])
			if !immutable4[options[0]] {
				clear(options[:n])
			}
		}
		options = options[n:]
	}
}

// The extension headers with options, and one that has none (RFC 8200 §4).
const (
	hopByHop    = 0
	routing     = 43
	destination = 60
)

func clearMutable6(packet []byte, at int) {
	packet[0], packet[1], packet[2], packet[3] = 6<<4, 0, 0, 0 // DSCP, ECN and flow label
	binary.BigEndian.PutUint16(packet[4:], uint16(len(packet)-ip6Header))
	packet[7] = 0 // Hop Limit
	next, from := packet[6], ip6Header
	for from+8 <= at && (next == hopByHop || next == routing || next == destination) {
		end := from + 8*(1+int(packet[from+1]))
		if end > at {
			return
		}
		if next != routing {
			clearOptions6(packet[from+2 : end])
		}
		next, from = packet[from], end
	}
}

const (
	option6Pad1    = 0
	option6Changes = 0x20 // the bit of an option's type that says so (RFC 8200 §4.2)
)

// clearOptions6 clears the data of each option that may change.
func clearOptions6(options []byte) {
	for len(options) > 0 {
		n := 1
		if options[0] != option6Pad1 {
			if len(options) < 2 || 2+int(options[1]) > len(options) {
				return
			}
			n = 2 + int(options[1])
			if options[0]&option6Changes != 0 {
				clear(options[2:n])
			}
		}
		options = options[n:]
	}
}
