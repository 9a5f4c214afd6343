package capture

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// ackType is how the HASH of one type of acknowledgement is made (RFC 8263 §2.1 and §3.2).
type ackType struct {
	hash func() hash.Hash
	bits uint16 // L: the block size of the hash
	lkh  bool   // made from the member's first LKH key, else from the KEK
}

// ackTypes are those of KEK_ACK_REQUESTED.
var ackTypes = map[int]ackType{
	1: {sha256.New, 512, false},
	2: {sha256.New, 512, true},
	3: {sha512.New, 1024, false},
	4: {sha512.New, 1024, true},
}

// sum is HASH over the payloads that follow it.
func (t ackType) sum(base []byte, spi [16]byte, after []byte) []byte {
	prf := func(key []byte, parts ...[]byte) []byte {
		w := hmac.New(t.hash, key)
		for _, p := range parts {
			w.Write(p)
		}
		return w.Sum(nil)
	}
	key := prf(base, []byte("GROUPKEY-PUSH ACK\x00"), spi[:], binary.BigEndian.AppendUint16(nil, t.bits))
	return prf(key, after)
}

// ack decodes a GROUPKEY-PUSH-ACK (RFC 8263 §3): GM --> KS  HDR, HASH, SEQ, ID, in clear.
func (d *decoder) ack(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.PushACK.String()
	name := cookies{h.InitiatorCookie, h.ResponderCookie}
	if m.Encrypted {
		m.summarize(nil, nil)
		m.unchecked("ACK HASH", "an acknowledgement is not to be encrypted")
		return
	}
	o := read(h, data)
	m.show(o)
	m.summarize(o, nil)
	switch {
	case len(d.rekeys[name]) == 0:
		m.unchecked("ACK HASH", "no key of that Rekey SA")
	case !isAck(o):
		m.check("ACK HASH", false, "the payloads are not HASH, SEQ and ID")
	default:
		d.ackHash(m, o, name)
	}
}

// ackHash checks HASH with each key that may have been meant. It cannot be called bad if a key is missing.
func (d *decoder) ackHash(m *Message, o *opened, name cookies) {
	got, _ := o.firstHash()
	leaves, missing := d.leaves[m.From.Addr()], false
	for _, k := range d.rekeys[name] {
		for _, number := range asked(k.ack, len(leaves) > 0) {
			bases := [][]byte{k.key}
			if ackTypes[number].lkh {
				bases, missing = leaves, missing || len(leaves) == 0
			}
			right := func(base []byte) bool { return bytes.Equal(got, ackTypes[number].sum(base, name.spi(), o.after(1))) }
			if slices.ContainsFunc(bases, right) {
				m.check("ACK HASH", true, "")
				return
			}
		}
	}
	if missing {
		m.unchecked("ACK HASH", "the member's LKH keys were not seen")
		return
	}
	m.check("ACK HASH", false, errHash.Error())
}

// asked lists the types that an acknowledgement may have: the one that the SAK asked for, or any if that is not known.
func asked(number int, lkh bool) []int {
	if _, known := ackTypes[number]; known {
		return []int{number}
	}
	if lkh {
		return []int{1, 2, 3, 4}
	}
	return []int{1, 3}
}

// isAck reports whether the message has the payloads of an acknowledgement, in their order.
func isAck(o *opened) bool {
	want := []isakmp.PayloadType{isakmp.PayloadHASH, isakmp.PayloadSEQ, isakmp.PayloadID}
	return slices.EqualFunc(o.payloads, want, func(d isakmp.Decoded, t isakmp.PayloadType) bool { return d.Payload.Type() == t })
}

// learn remembers the first LKH key that a Key Download brings to a member.
func (d *decoder) learn(m *Message, o *opened) {
	to := m.To.Addr()
	kd, _, found := isakmp.Find[gdoi.KD](o.payloads)
	if !found {
		return
	}
	for _, packet := range kd.Packets {
		if packet.Type != gdoi.KDTypeLKH {
			continue
		}
		for _, array := range packet.Values(gdoi.LKHDownloadArray) {
			leaf, ok := firstLKHKey(array)
			if ok && !slices.ContainsFunc(d.leaves[to], func(have []byte) bool { return bytes.Equal(have, leaf) }) {
				d.leaves[to] = append(d.leaves[to], leaf)
			}
		}
	}
}

// firstLKHKey is the key, without its IV, that a download array begins with (RFC 6407 §5.6.3.1).
func firstLKHKey(array []byte) ([]byte, bool) {
	bits, ok := gdoi.LKHBits(gdoi.LKHDownloadArray, array)
	if !ok {
		return nil, false
	}
	a, err := gdoi.ParseLKHDownload(array, 0, bits)
	if err != nil || len(a.Keys) == 0 {
		return nil, false
	}
	_, key := a.Keys[0].Split()
	return key, len(key) > 0
}
