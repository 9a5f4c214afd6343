package esp

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// AH is one SA of the Authentication Header (RFC 4302), with the sequence numbers and the replay window of ESP. It covers the IP
// header in front of it too, as far as that does not change on its way:
//
//	Next Header (1) | Payload Len (1) | RESERVED (2) | SPI (4) | Sequence (4) | ICV | payload
type AH struct {
	SA
	mac     hash.Hash
	covered []byte
	sum     [sha512.Size]byte
}

var guardAHICV = rule.Check("esp.ah.icv", "RFC4302-3.4.4-01", rule.GM, "the ICV of AH is that of the packet and its header")

const (
	ahFixed    = 12 // in front of the ICV
	ahSPI      = 4
	ahSequence = 8

	ahAlign  = 4 // of the whole header in IPv4
	ahAlign6 = 8 // and in IPv6 (RFC 4302 §2.2)
)

// NewAH makes an SA of AH that has neither sent nor received. Errors are those of New.
func NewAH(t policy.TrafficSA, o Options) (*AH, error) {
	tr := t.Transform
	if err := tr.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTransform, err)
	}
	if len(t.CipherKey) > 0 || len(t.IntegrityKey) != tr.IntegrityKeyLen() {
		return nil, fmt.Errorf("%w: %s has keys of %d and %d octets", ErrTransform, tr, len(t.CipherKey), len(t.IntegrityKey))
	}
	counters, err := newCounters(t, o)
	if err != nil {
		return nil, err
	}
	mac := integrities[tr.Integrity]
	counters.sizes = sizes{icv: tr.ICVLen(), cut: mac.cut}
	return &AH{SA: *counters, mac: hmac.New(mac.hash, t.IntegrityKey)}, nil
}

// Overhead is how many octets longer a packet of a payload is behind the same IP header, at most: in IPv4 it may be four less.
func (a *AH) Overhead(int) int { return a.headerLen(true, a.sizes.icv) }

// MaxPayload is the longest payload whose packet, without its IP header, has at most limit octets in either version of IP; below
// 0 if there is none.
func (a *AH) MaxPayload(limit int) int { return max(-1, limit-a.Overhead(0)) }

// headerLen is the length of the header, filled up as the version of IP wants it.
func (a *AH) headerLen(v6 bool, icv int) int {
	align := ahAlign
	if v6 {
		align = ahAlign6
	}
	return (ahFixed + icv + align - 1) / align * align
}

// Seal appends to dst, which is the IP header and its extension headers and nothing else, the header and the payload (RFC 4302
// §3.3). Of what stands in dst only the length may be filled in later. Errors are those of SA.Seal.
func (a *AH) Seal(dst, payload []byte, next uint8) ([]byte, error) {
	if err := a.exhausted(); err != nil {
		return dst, err
	}
	icv := a.sentICV()
	at, n := len(dst), a.headerLen(dst[0]>>4 == 6, icv)
	out := append(slices.Grow(dst, n+len(payload))[:at+n], payload...)
	h := out[at : at+n]
	clear(h)
	sequence := a.nextSequence()
	h[0], h[1] = next, byte(n/4-2)
	binary.BigEndian.PutUint32(h[ahSPI:], a.spi)
	binary.BigEndian.PutUint32(h[ahSequence:], uint32(sequence))
	copy(h[ahFixed:ahFixed+icv], a.digest(out, at, uint32(sequence>>32)))
	return out, nil
}

// OpenPacket checks an IP packet whose AH begins at an octet, and appends what follows AH to dst (RFC 4302 §3.4). Errors are those
// of SA.Open, but for the padding.
func (a *AH) OpenPacket(dst, packet []byte, at int) (payload []byte, next uint8, err error) {
	if !a.whole(packet, at) {
		return dst, 0, guardAHICV.Violated("AH SPI %08x: %d octets cannot be a packet of this SA", a.spi, len(packet)-at)
	}
	sequence := a.sequence(binary.BigEndian.Uint32(packet[at+ahSequence:]))
	if v := a.admit(sequence); v != nil {
		return dst, 0, v
	}
	if !guardMarkAfter.Kept(a.rules) {
		a.window.Mark(sequence)
	}
	payload, next, err = a.ReadPacket(dst, packet, at, uint32(sequence>>32))
	if err != nil {
		if payload, next, sequence, err = a.openAhead(dst, packet, at, sequence, err); err != nil {
			return dst, 0, err
		}
	}
	a.accept(sequence)
	return payload, next, nil
}

// ReadPacket opens a packet as OpenPacket does, but for somebody who only watches; see SA.Read.
func (a *AH) ReadPacket(dst, packet []byte, at int, high uint32) (payload []byte, next uint8, err error) {
	if !a.whole(packet, at) {
		return dst, 0, guardAHICV.Violated("AH SPI %08x: %d octets cannot be a packet of this SA", a.spi, len(packet)-at)
	}
	icv := packet[at+ahFixed : at+ahFixed+a.sizes.icv]
	if !guardAHICV.Holds(a.rules, hmac.Equal(a.digest(packet, at, high)[:a.sizes.icv], icv)) {
		return dst, 0, guardAHICV.Violated("AH SPI %08x sequence %d is not authentic", a.spi, binary.BigEndian.Uint32(packet[at+ahSequence:]))
	}
	return append(dst, packet[at+a.headerLen(packet[0]>>4 == 6, a.sizes.icv):]...), packet[at], nil
}

// whole reports whether a packet has a header of the length that those of this SA have.
func (a *AH) whole(packet []byte, at int) bool {
	if at < ip4Header || len(packet) < at+ahFixed {
		return false
	}
	n := a.headerLen(packet[0]>>4 == 6, a.sizes.icv)
	return len(packet) >= at+n && int(packet[at+1]) == n/4-2
}

// digest is the whole HMAC of a packet: what changes on its way, and the ICV, counts as zero (RFC 4302 §3.3.3). It is valid until the next call.
func (a *AH) digest(packet []byte, at int, high uint32) []byte {
	a.covered = append(a.covered[:0], packet...)
	clearMutable(a.covered, at)
	clear(a.covered[at+ahFixed : min(len(packet), at+ahFixed+a.sizes.icv)])
	if a.esn {
		a.covered = binary.BigEndian.AppendUint32(a.covered, high)
	}
	a.mac.Reset()
	a.mac.Write(a.covered)
	return a.mac.Sum(a.sum[:0])
}
