package keymat

import (
	"encoding/binary"
	"net/netip"
)

// NATD is what a NAT-D payload says of one end of a Phase 1 exchange: the hash of the cookies, the end's address and its
// port (RFC 3947 §3.2). Where the peer computes another one, a NAT lies between. An IPv4 address counts four octets, also in
// its IPv6 form.
func NATD(h Hash, cookieI, cookieR [8]byte, end netip.AddrPort) []byte {
	return h.Sum(cookieI[:], cookieR[:], end.Addr().Unmap().AsSlice(), binary.BigEndian.AppendUint16(nil, end.Port()))
}
