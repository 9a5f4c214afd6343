package keymat

import "encoding/binary"

// ackLabel ends with a zero octet (RFC 8263 §3.2).
var ackLabel = []byte("GROUPKEY-PUSH ACK\x00")

// ackKeyBits is L of an acknowledgement with HMAC-SHA-256: the length of the zero-filled base key, which is the block size
// of the hash (RFC 8263 §3.2).
const ackKeyBits = 512

// AckKey derives the key of acknowledgements of type REKEY_ACK_KEK_SHA256 (RFC 8263 §2.1 and §3.2): base is the cipher key,
// without IV, and spi the cookie pair of the Rekey SA that protected the PUSH.
func AckKey(base []byte, spi [16]byte) []byte {
	return ackKey(base, spi, ackKeyBits)
}

func ackKey(base []byte, spi [16]byte, bits uint16) []byte {
	return SHA256.PRF(base, ackLabel, spi[:], binary.BigEndian.AppendUint16(nil, bits))
}

// AckHash is HASH of an acknowledgement over its SEQ and ID payloads, generic headers included (RFC 8263 §3.2).
func AckHash(ackKey, seqPayload, idPayload []byte) []byte {
	return SHA256.PRF(ackKey, seqPayload, idPayload)
}
