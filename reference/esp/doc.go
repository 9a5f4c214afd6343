// Package esp seals and opens the packets of one IPsec ESP SA (RFC 4303): the transforms, the sequence numbers and the
// replay window. It knows nothing of IP: what it takes and gives lies between the outer header and the inner packet.
//
//	SPI (4) | Sequence (4) | IV | { payload | padding | Pad Length | Next Header } | ICV
//
// Transforms: AES-GCM with a 16-octet ICV (RFC 4106), whose IVs begin with the sender's SID as groups need it (RFC 6054,
// RFC 6407 §3.5), and AES-CBC (RFC 3602) with HMAC-SHA-256-128 (RFC 4868).
//
// Seal and Open append to the caller's buffer, as cipher.AEAD does, and allocate nothing unless a packet is refused.
package esp
