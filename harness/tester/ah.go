package tester

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// ErrAH means that a packet is none of an SA of AH, or that a key log entry holds no key of one.
var ErrAH = errors.New("tester: not of that SA of AH")

// AHKeys is the key of one SA of AH in the tester's hands. It makes and reads IPv4 packets without the code that the reference has
// for it, so that a mistake there is not made twice (RFC 4302, RFC 4868, RFC 2404).
type AHKeys struct {
	SPI uint32

	hash espHash
	key  []byte
	sent uint32
}

// NewAHKeys takes the key from the key log of a node.
func NewAHKeys(k keylog.Entry) (*AHKeys, error) {
	spi, err1 := strconv.ParseUint(k.SPI, 16, 32)
	key, err2 := hex.DecodeString(k.IntegrityKey)
	form, known := espHashes[k.Integrity]
	if err := errors.Join(err1, err2); err != nil || k.Kind != keylog.KindAH || !known || k.ESN {
		return nil, fmt.Errorf("%w: %s %s integrity %d: %w", ErrAH, k.Kind, k.SPI, k.Integrity, err)
	}
	return &AHKeys{SPI: uint32(spi), hash: form, key: key}, nil
}

// The fields of AH (RFC 4302 §2).
const (
	ProtocolAH = 51

	ahSPI      = 4
	ahSequence = 8
	ahICV      = 12
)

// AHContent is what an AH packet protects.
type AHContent struct {
	SPI, Sequence uint32
	Next          uint8
	Reserved      uint16
	ICV           int // octets
	Payload       []byte
}

// Read checks an IPv4 packet of AH and returns what it protects.
func (a *AHKeys) Read(ip lab.IPv4) (AHContent, error) {
	b := ip.Payload
	if ip.Protocol != ProtocolAH || len(b) < ahICV+a.hash.icv || int(b[1]+2)*4 != ahICV+a.hash.icv {
		return AHContent{}, fmt.Errorf("%w: protocol %d, %d octets", ErrAH, ip.Protocol, len(b))
	}
	c := AHContent{SPI: binary.BigEndian.Uint32(b[ahSPI:]), Sequence: binary.BigEndian.Uint32(b[ahSequence:]), Next: b[0],
		Reserved: binary.BigEndian.Uint16(b[2:]), ICV: a.hash.icv, Payload: b[ahICV+a.hash.icv:]}
	if icv := b[ahICV : ahICV+a.hash.icv]; c.SPI != a.SPI || !hmac.Equal(icv, a.icv(ip)) {
		return c, fmt.Errorf("%w: SPI %08x sequence %d is not authentic", ErrAH, c.SPI, c.Sequence)
	}
	return c, nil
}

// icv makes the ICV of a packet: over its header without what changes on the way, and what follows with zeros for the ICV.
func (a *AHKeys) icv(ip lab.IPv4) []byte {
	ip.Payload = bytes.Clone(ip.Payload)
	clear(ip.Payload[ahICV : ahICV+a.hash.icv])
	b := ip.Bytes()
	for _, i := range []int{1, 6, 7, 8, 10, 11} { // TOS, flags and offset, TTL, checksum
		b[i] = 0
	}
	mac := hmac.New(func() hash.Hash { return a.hash.new() }, a.key)
	mac.Write(b)
	return mac.Sum(nil)[:a.hash.icv]
}

// AHOption changes a packet before its ICV is made.
type AHOption func(*AHForm)

// AHForm is a packet of AH in the making.
type AHForm struct {
	SPI      uint32
	Sequence uint32
}

// Packet protects an inner IPv4 packet in tunnel mode with both addresses preserved, as an honest member would but for the
// options. Its sequence numbers count from 1.
func (a *AHKeys) Packet(inner []byte, options ...AHOption) []byte {
	a.sent++
	f := &AHForm{SPI: a.SPI, Sequence: a.sent}
	in, _ := lab.ParseIPv4(inner)
	outer := lab.IPv4{Source: in.Source, Destination: in.Destination, TOS: in.TOS, TTL: 64, Protocol: ProtocolAH}
	for _, o := range options {
		o(f)
	}
	b := append(make([]byte, ahICV+a.hash.icv), inner...)
	b[0], b[1] = 4, byte((ahICV+a.hash.icv)/4-2)
	binary.BigEndian.PutUint32(b[ahSPI:], f.SPI)
	binary.BigEndian.PutUint32(b[ahSequence:], f.Sequence)
	outer.Payload = b
	copy(b[ahICV:], a.icv(outer))
	return outer.Bytes()
}

// AHSequence gives the packet another sequence number (RFC 4302 §3.3.2).
func AHSequence(n uint32) AHOption { return func(f *AHForm) { f.Sequence = n } }

// AHUnder puts the packet under another SPI (RFC 4302 §2.4).
func AHUnder(spi uint32) AHOption { return func(f *AHForm) { f.SPI = spi } }
