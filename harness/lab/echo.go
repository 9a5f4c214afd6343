package lab

import "encoding/binary"

// icmpKind is what a host makes of an ICMP message, of either version.
type icmpKind uint8

const (
	icmpOther icmpKind = iota
	echoRequest
	echoReply
	tooBig
)

// The types and the code of the ICMP messages that hosts know (RFC 792, RFC 1191 §4, RFC 4443 §3.2, §4).
const (
	icmpEchoReply           = 0
	icmpUnreachable         = 3
	icmpFragmentationNeeded = 4 // a code
	icmpEchoRequest         = 8

	icmpv6TooBig      = 2
	icmpv6EchoRequest = 128
	icmpv6EchoReply   = 129
)

// kindOf tells what an ICMP message of at least two octets is.
func kindOf(protocol uint8, icmp []byte) icmpKind {
	if protocol == protocolICMPv6 {
		return map[byte]icmpKind{icmpv6EchoRequest: echoRequest, icmpv6EchoReply: echoReply, icmpv6TooBig: tooBig}[icmp[0]]
	}
	switch icmp[0] {
	case icmpEchoRequest:
		return echoRequest
	case icmpEchoReply:
		return echoReply
	case icmpUnreachable:
		if icmp[1] == icmpFragmentationNeeded {
			return tooBig
		}
	}
	return icmpOther
}

// quotedID is the identifier of the echo request that an ICMP error quotes; 0 if it quotes none.
func quotedID(icmp []byte) uint16 {
	const quoted, id = 8, 4
	if len(icmp) < quoted+1 {
		return 0
	}
	quote := icmp[quoted:]
	at := int(quote[0]&15) * 4
	if quote[0]>>4 == 6 {
		at = ipv6Header
		if len(quote) > ipv6Header && quote[6] == extFragment {
			at += fragmentHeader
		}
	}
	if len(quote) < at+id+2 {
		return 0
	}
	return binary.BigEndian.Uint16(quote[at+id:])
}
