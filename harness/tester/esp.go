package tester

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// ESPKeys are the keys of one Data-Security SA in the tester's hands. They make and read its packets without the code and the
// tables that the reference has for it, so that a mistake there is not made twice (RFC 4303, RFC 4106, RFC 4543, RFC 3602,
// RFC 2451, RFC 2410, RFC 4868, RFC 2404).
type ESPKeys struct {
	SPI uint32

	form      espTransform
	block     cipher.Block // nil: NULL
	salt      []byte       // of GCM and GMAC
	hash      espHash
	integrity []byte
	esn       bool
	sent      uint32
}

// espTransform is how a transform (RFC 2407 §4.4.4 and its successors) looks in a packet; lengths in octets.
type espTransform struct {
	iv, align int
	icv       int // of a combined mode
	gmac      bool
	block     func(key []byte) (cipher.Block, error)
}

var espTransforms = map[int]espTransform{
	3:  {iv: 8, align: 8, block: des.NewTripleDESCipher},
	11: {align: 4},
	12: {iv: 16, align: 16, block: aes.NewCipher},
	18: {iv: 8, align: 4, icv: 8, block: aes.NewCipher},
	19: {iv: 8, align: 4, icv: 12, block: aes.NewCipher},
	20: {iv: 8, align: 4, icv: 16, block: aes.NewCipher},
	23: {iv: 8, align: 4, icv: 16, gmac: true, block: aes.NewCipher},
}

// espHash is an Authentication Algorithm (RFC 2407 §4.5).
type espHash struct {
	icv int
	new func() hash.Hash
}

var espHashes = map[int]espHash{2: {12, sha1.New}, 5: {16, sha256.New}, 6: {24, sha512.New384}, 7: {32, sha512.New}}

const (
	espHeader = 8
	gcmSalt   = 4
	gcmTag    = 16
)

// ErrESPKeys means that a key log entry does not hold the keys of a transform that the tester knows.
var ErrESPKeys = errors.New("tester: no keys of a known ESP transform")

// NewESPKeys takes the keys from the key log of a node.
func NewESPKeys(k keylog.Entry) (*ESPKeys, error) {
	spi, err1 := strconv.ParseUint(k.SPI, 16, 32)
	key, err2 := hex.DecodeString(k.CipherKey)
	integrity, err3 := hex.DecodeString(k.IntegrityKey)
	form, known := espTransforms[k.Cipher]
	s := &ESPKeys{SPI: uint32(spi), form: form, integrity: integrity, esn: k.ESN}
	if form.icv > 0 && len(key) > gcmSalt {
		key, s.salt = key[:len(key)-gcmSalt], key[len(key)-gcmSalt:]
	}
	var err4 error
	if form.block != nil {
		s.block, err4 = form.block(key)
	}
	if form.icv == 0 {
		s.hash = espHashes[k.Integrity]
		known = known && s.hash.new != nil
	}
	err := errors.Join(err1, err2, err3, err4)
	if k.Kind != keylog.KindTraffic || err != nil || !known {
		return nil, fmt.Errorf("%w: %s %s cipher %d with integrity %d: %w", ErrESPKeys, k.Kind, k.SPI, k.Cipher, k.Integrity, err)
	}
	return s, nil
}

func (s *ESPKeys) combined() bool { return s.form.icv > 0 }

// icv is the length of the ICV that a right packet has.
func (s *ESPKeys) icv() int { return s.form.icv + s.hash.icv }

// Packet protects an inner IPv4 packet in tunnel mode with both addresses preserved, as an honest member would but for
// the options. Its sequence numbers count from 1; its IVs begin with a SID that no small group hands out.
func (s *ESPKeys) Packet(inner []byte, options ...ESPOption) []byte {
	s.sent++
	f := &espForm{spi: s.SPI, sequence: uint64(s.sent), inner: inner, next: 4, icv: s.icv()}
	f.outer, _ = lab.ParseIPv4(inner)
	f.outer = lab.IPv4{Source: f.outer.Source, Destination: f.outer.Destination, TOS: f.outer.TOS, TTL: 64, Protocol: lab.ProtocolESP}
	f.iv = s.freshIV()
	for _, o := range options {
		o(f)
	}
	esp := s.seal(f)
	for _, alter := range f.finish {
		alter(esp)
	}
	f.outer.Protocol, f.outer.Payload = f.wrap(esp)
	return f.outer.Bytes()
}

// freshIV counts below the SID 0xee for GCM and GMAC, and is unpredictable for whoever has no key for CBC (RFC 3602 §3).
func (s *ESPKeys) freshIV() []byte {
	count := binary.BigEndian.AppendUint64(nil, 0xee<<56|uint64(s.sent))
	if s.combined() || s.block == nil {
		return count[:s.form.iv]
	}
	iv := make([]byte, s.form.iv)
	s.block.Encrypt(iv, append(count, make([]byte, 8)...))
	return iv
}

// seal makes the ESP packet from the SPI to the ICV.
func (s *ESPKeys) seal(f *espForm) []byte {
	head := binary.BigEndian.AppendUint32(nil, f.spi)
	head = binary.BigEndian.AppendUint32(head, uint32(f.sequence))
	body, high := f.body(s.form.align), uint32(f.sequence>>32)
	if s.combined() {
		sealed := s.gcm(head, f.iv, body, high)
		cut := len(sealed) - gcmTag + f.icv
		return slices.Concat(head, f.iv, sealed[:cut])
	}
	if s.block != nil {
		cipher.NewCBCEncrypter(s.block, f.iv).CryptBlocks(body, body)
	}
	packet := slices.Concat(head, f.iv, body)
	return append(packet, s.mac(packet, high)[:f.icv]...)
}

// gcm is what follows the IV, with the whole tag: for GMAC the body as it is (RFC 4543 §3.3).
func (s *ESPKeys) gcm(head, iv, body []byte, high uint32) []byte {
	aead, err := cipher.NewGCM(s.block)
	if err != nil {
		panic(err) // a block of another length than AES has
	}
	aad := slices.Clone(head[:4])
	if s.esn {
		aad = binary.BigEndian.AppendUint32(aad, high)
	}
	aad = append(aad, head[4:]...)
	nonce := slices.Concat(s.salt, iv)
	if s.form.gmac {
		return append(slices.Clone(body), aead.Seal(nil, nonce, nil, slices.Concat(aad, iv, body))...)
	}
	return aead.Seal(nil, nonce, body, aad)
}

func (s *ESPKeys) mac(octets []byte, high uint32) []byte {
	h := hmac.New(s.hash.new, s.integrity)
	h.Write(octets)
	if s.esn {
		h.Write(binary.BigEndian.AppendUint32(nil, high))
	}
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
	LastBlock     []byte // the last block of the ciphertext
}

// ErrNotAuthentic means that the ICV, at the length it ought to have, does not fit the packet.
var ErrNotAuthentic = errors.New("tester: the ICV does not verify")

// Open reads an IPv4 packet that holds an ESP packet of this SA, in UDP or not, one of the first 2^32 if its sequence numbers are extended.
func (s *ESPKeys) Open(packet []byte) (ESPContent, error) { return s.OpenCycle(packet, 0) }

// OpenCycle is Open with the upper half of an extended sequence number, which is not in the packet (RFC 4303 §2.2.1).
func (s *ESPKeys) OpenCycle(packet []byte, high uint32) (ESPContent, error) {
	ip, _ := lab.ParseIPv4(packet)
	p, ok := ip.Packet().ESP()
	if !ok || len(p) < espHeader+s.form.iv+s.form.align+s.icv() {
		return ESPContent{}, errors.New("tester: no whole ESP packet")
	}
	head, cut := espHeader+s.form.iv, len(p)-s.icv()
	c := ESPContent{SPI: binary.BigEndian.Uint32(p), Sequence: binary.BigEndian.Uint32(p[4:]), IV: p[espHeader:head],
		ICV: p[cut:], LastBlock: p[max(0, cut-s.form.align):cut]}
	body, err := s.decrypt(p, head, cut, high)
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

func (s *ESPKeys) decrypt(p []byte, head, cut int, high uint32) ([]byte, error) {
	if (cut-head)%s.form.align != 0 {
		return nil, ErrNotAuthentic
	}
	iv, body := p[espHeader:head], slices.Clone(p[head:cut])
	if s.combined() {
		return s.decryptCombined(p, iv, body, high)
	}
	if !bytes.Equal(s.mac(p[:cut], high)[:s.icv()], p[cut:]) {
		return nil, ErrNotAuthentic
	}
	if s.block != nil {
		cipher.NewCBCDecrypter(s.block, iv).CryptBlocks(body, body)
	}
	return body, nil
}

// decryptCombined decrypts in counter mode, whose blocks are counted from 2 (RFC 4106 §4), seals what comes out, and compares
// the tags as far as one was sent.
func (s *ESPKeys) decryptCombined(p, iv, body []byte, high uint32) ([]byte, error) {
	if !s.form.gmac {
		first := slices.Concat(s.salt, iv, []byte{0, 0, 0, 2})
		cipher.NewCTR(s.block, first).XORKeyStream(body, body)
	}
	again := s.gcm(p[:espHeader], iv, body, high)
	if !bytes.Equal(again[len(body):][:s.icv()], p[len(p)-s.icv():]) {
		return nil, ErrNotAuthentic
	}
	return body, nil
}
