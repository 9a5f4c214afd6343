// Package esp seals and opens the packets of one IPsec ESP SA (RFC 4303): the transforms, the sequence numbers and the
// replay window. It knows nothing of IP: what it takes and gives lies between the outer header and the inner packet.
//
//	SPI (4) | Sequence (4) | IV | { payload | padding | Pad Length | Next Header } | ICV
//
// Transforms, whose lengths are in the tables of package policy:
//
//   - AES-GCM with an ICV of 16, 12 or 8 octets (RFC 4106) and NULL_AUTH_AES-GMAC (RFC 4543), whose IVs begin with the sender's
//     SID as groups need it (RFC 6054, RFC 6407 §3.5);
//   - AES-CBC (RFC 3602), 3DES-CBC (RFC 2451) and NULL (RFC 2410), each with HMAC-SHA-1-96 (RFC 2404), HMAC-SHA-256-128,
//     HMAC-SHA-384-192 or HMAC-SHA-512-256 (RFC 4868).
//
// With extended sequence numbers (RFC 4303 §2.2.1) the lower half of 64 bits is sent and the upper half is authenticated only.
// A receiver finds it from its replay window (appendix A2), so that an SA with them is refused where the window is off: RFC
// 4303 §3.4.3 wants them left out of such SAs. One window serves all senders of an SA; so does the upper half that comes from
// it, which suits SAs that a member receives from one sender. After the loss of 2^32 packets it is found again (appendix A3).
//
// Seal and Open append to the caller's buffer, as cipher.AEAD does, and allocate nothing unless a packet is refused.
package esp
