package tester

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// ESPKeys are the keys of one Data-Security SA in the tester's hands. They make and read its packets without the code that
// the reference has for it, so that a mistake there is not made twice (RFC 4303, RFC 4106, RFC 3602, RFC 4868).
type ESPKeys struct {
	SPI uint32

	block     cipher.Block
	salt      []byte // of GCM
	integrity []byte // of CBC
	sent      uint32
}

// The ESP transforms (RFC 2407 §4.4.4 and its successors) and what they put into a packet.
const (
	espAESCBC, espAESGCM = 12, 20

	espHeader = 8
	espICV    = 16
	gcmIV     = 8
	gcmSalt   = 4
)

// ErrESPKeys means that a key log entry does not hold the keys of a transform that the tester knows.
var ErrESPKeys = errors.New("tester: no keys of a known ESP transform")

// NewESPKeys takes the keys from the key log of a node.
func NewESPKeys(k keylog.Entry) (*ESPKeys, error) {
	spi, err1 := strconv.ParseUint(k.SPI, 16, 32)
	key, err2 := hex.DecodeString(k.CipherKey)
	integrity, err3 := hex.DecodeString(k.IntegrityKey)
	s := &ESPKeys{SPI: uint32(spi), integrity: integrity}
	if k.Cipher == espAESGCM && len(key) > gcmSalt {
		key, s.salt = key[:len(key)-gcmSalt], key[len(key)-gcmSalt:]
	}
	block, err4 := aes.NewCipher(key)
	s.block = block
	err := errors.Join(err1, err2, err3, err4)
	if k.Kind != keylog.KindTraffic || err != nil || k.Cipher != espAESGCM && k.Cipher != espAESCBC {
		return nil, fmt.Errorf("%w: %s %s cipher %d: %w", ErrESPKeys, k.Kind, k.SPI, k.Cipher, err)
	}
	return s, nil
}

func (s *ESPKeys) combined() bool { return s.salt != nil }

func (s *ESPKeys) ivLen() int {
	if s.combined() {
		return gcmIV
	}
	return aes.BlockSize
}

// align is what the encrypted part is a multiple of (RFC 4303 §2.4).
func (s *ESPKeys) align() int {
	if s.combined() {
		return 4
	}
	return aes.BlockSize
}

// Packet protects an inner IPv4 packet in tunnel mode with both addresses preserved, as an honest member would but for
// the options. Its sequence numbers count from 1; its IVs begin with a SID that no small group hands out.
func (s *ESPKeys) Packet(inner []byte, options ...ESPOption) []byte {
	s.sent++
	f := &espForm{spi: s.SPI, sequence: s.sent, inner: inner, next: 4, icv: espICV}
	f.outer, _ = lab.ParseIPv4(inner)
	f.outer = lab.IPv4{Source: f.outer.Source, Destination: f.outer.Destination, TOS: f.outer.TOS, TTL: 64, Protocol: lab.ProtocolESP}
	f.iv = s.freshIV()
	for _, o := range options {
		o(f)
	}
	f.outer.Payload = s.seal(f)
	for _, alter := range f.finish {
		alter(f.outer.Payload)
	}
	return f.outer.Bytes()
}

// freshIV counts below the SID 0xee for GCM, and is unpredictable for whoever has no key for CBC (RFC 3602 §3).
func (s *ESPKeys) freshIV() []byte {
	var count [aes.BlockSize]byte
	binary.BigEndian.PutUint64(count[:], 0xee<<56|uint64(s.sent))
	if s.combined() {
		return count[:gcmIV]
	}
	s.block.Encrypt(count[:], count[:])
	return count[:]
}

// seal makes the ESP packet from the SPI to the ICV.
func (s *ESPKeys) seal(f *espForm) []byte {
	packet := binary.BigEndian.AppendUint32(nil, f.spi)
	packet = binary.BigEndian.AppendUint32(packet, f.sequence)
	body := f.body(s.align())
	if s.combined() {
		return append(append(packet, f.iv...), s.gcm(f.icv).Seal(nil, s.nonce(f.iv), body, packet)...)
	}
	cipher.NewCBCEncrypter(s.block, f.iv).CryptBlocks(body, body)
	packet = append(append(packet, f.iv...), body...)
	return append(packet, s.mac(packet)[:f.icv]...)
}

func (s *ESPKeys) nonce(iv []byte) []byte { return slices.Concat(s.salt, iv) }

// gcm is AES-GCM with a tag of 12 to 16 octets.
func (s *ESPKeys) gcm(tag int) cipher.AEAD {
	aead, err := cipher.NewGCMWithTagSize(s.block, tag)
	if err != nil {
		panic(err) // a tag length that no option asks for
	}
	return aead
}

func (s *ESPKeys) mac(octets []byte) []byte {
	h := hmac.New(sha256.New, s.integrity)
	h.Write(octets)
	return h.Sum(nil)
}

// ESPContent is what an ESP packet holds.
type ESPContent struct {
	SPI, Sequence uint32
	IV            []byte
	Inner         []byte // up to the padding
	Padding       []byte
	Next          uint8
	ICV           []byte
	LastBlock     []byte // the last 16 octets of the ciphertext
}

// ErrNotAuthentic means that the ICV, at the length it ought to have, does not fit the packet.
var ErrNotAuthentic = errors.New("tester: the ICV does not verify")

// Open reads an IPv4 packet that holds an ESP packet of this SA.
func (s *ESPKeys) Open(packet []byte) (ESPContent, error) {
	ip, ok := lab.ParseIPv4(packet)
	if !ok || ip.Protocol != lab.ProtocolESP || ip.Fragment || len(ip.Payload) < espHeader+s.ivLen()+s.align()+espICV {
		return ESPContent{}, errors.New("tester: no whole ESP packet")
	}
	p := ip.Payload
	head, cut := espHeader+s.ivLen(), len(p)-espICV
	c := ESPContent{SPI: binary.BigEndian.Uint32(p), Sequence: binary.BigEndian.Uint32(p[4:]), IV: p[espHeader:head],
		ICV: p[cut:], LastBlock: p[max(0, cut-aes.BlockSize):cut]}
	body, err := s.decrypt(p, head, cut)
	if err != nil {
		return c, fmt.Errorf("%w: SPI %08x sequence %d", err, c.SPI, c.Sequence)
	}
	pad := int(body[len(body)-2])
	if pad > len(body)-2 {
		return c, fmt.Errorf("tester: SPI %08x sequence %d: Pad Length %d of %d octets", c.SPI, c.Sequence, pad, len(body))
	}
	c.Next = body[len(body)-1]
	c.Inner, c.Padding = body[:len(body)-2-pad], body[len(body)-2-pad:len(body)-2]
	return c, nil
}

func (s *ESPKeys) decrypt(p []byte, head, cut int) ([]byte, error) {
	if s.combined() {
		body, err := s.gcm(espICV).Open(nil, s.nonce(p[espHeader:head]), p[head:], p[:espHeader])
		if err != nil {
			return nil, ErrNotAuthentic
		}
		return body, nil
	}
	if !bytes.Equal(s.mac(p[:cut])[:espICV], p[cut:]) || (cut-head)%aes.BlockSize != 0 {
		return nil, ErrNotAuthentic
	}
	body := slices.Clone(p[head:cut])
	cipher.NewCBCDecrypter(s.block, p[espHeader:head]).CryptBlocks(body, body)
	return body, nil
}
