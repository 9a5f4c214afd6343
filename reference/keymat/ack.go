package keymat

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"encoding/binary"
	"hash"
	"sync"
)

// ackLabel ends with a zero octet (RFC 8263 §3.2).
var ackLabel = []byte("GROUPKEY-PUSH ACK\x00")

// Ack is how one type of acknowledgements is keyed: the hash of its HMAC, and L, the length in bits of the zero-filled base
// key, which is the block size of the hash (RFC 8263 §3.2).
type Ack struct {
	hash crypto.Hash
	bits uint16
}

// The ways in which acknowledgements are keyed: REKEY_ACK_KEK_SHA256 and REKEY_ACK_KEK_SHA512 (RFC 8263 §2.1, §2.3).
var (
	AckSHA256 = Ack{crypto.SHA256, 512}
	AckSHA512 = Ack{crypto.SHA512, 1024}
)

// Key derives the key of acknowledgements (RFC 8263 §3.2): base is the cipher key, without IV, and spi the cookie pair of
// the Rekey SA that protected the PUSH.
func (a Ack) Key(base []byte, spi [16]byte) []byte {
	return a.prf(base, ackLabel, spi[:], binary.BigEndian.AppendUint16(nil, a.bits))
}

// Sum is Hash under the key that Key derives. That of the last call is remembered: all members of a simulated group acknowledge a rekey
// under the same one, and so does the key server check what they say.
func (a Ack) Sum(base []byte, spi [16]byte, seqPayload, idPayload []byte) []byte {
	l := &lastAck
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mac == nil || l.of != a || l.spi != spi || !bytes.Equal(l.base, base) {
		l.of, l.base, l.spi, l.mac = a, bytes.Clone(base), spi, hmac.New(a.hash.New, a.Key(base, spi))
	}
	l.mac.Reset()
	return digest(l.mac, [][]byte{seqPayload, idPayload})
}

// lastAck is what Sum has derived last.
var lastAck struct {
	mu   sync.Mutex
	of   Ack
	base []byte
	spi  [16]byte
	mac  hash.Hash // nil: nothing
}

// Hash is HASH of an acknowledgement over its SEQ and ID payloads, generic headers included (RFC 8263 §3.2).
func (a Ack) Hash(key, seqPayload, idPayload []byte) []byte {
	return a.prf(key, seqPayload, idPayload)
}

func (a Ack) prf(key []byte, parts ...[]byte) []byte {
	return digest(hmac.New(a.hash.New, key), parts)
}
