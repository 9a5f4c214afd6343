package capture

import (
	"bytes"
	"slices"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// lkhName names a key of a hierarchy. Several groups may have one of that name.
type lkhName struct {
	id     uint16
	handle uint32
}

// lkhTree has the keys of all hierarchies, as far as downloads have brought them and updates can be opened.
type lkhTree map[lkhName][]lkhOpen

// lkhOpen is a key in clear, its IV before it.
type lkhOpen struct {
	cipher keymat.Cipher
	data   []byte
}

// hierarchy checks what a Key Download brings of a hierarchy (RFC 6407 §5.6.3): a download has to end with the KEK, and one of
// the updates has to lead there from a key that was seen. Without the KEK in the key log there is nothing to check.
func (d *decoder) hierarchy(m *Message, o *opened) {
	kd, _, _ := isakmp.Find[gdoi.KD](o.payloads)
	for i := range kd.Packets {
		packet := &kd.Packets[i]
		if packet.Type != gdoi.KDTypeLKH || len(packet.SPI) != 16 {
			continue
		}
		keks := d.rekeys[cookies{isakmp.Cookie(packet.SPI[:8]), isakmp.Cookie(packet.SPI[8:])}]
		isKEK := func(k lkhOpen) bool {
			return slices.ContainsFunc(keks, func(kek rekeyKeys) bool { return bytes.Equal(k.data, slices.Concat(kek.iv, kek.key)) })
		}
		downloads, updates := d.lkh.downloads(packet), d.lkh.updates(packet)
		if len(keks) == 0 {
			continue
		}
		if len(downloads) > 0 {
			m.check("LKH root", !slices.ContainsFunc(downloads, func(k lkhOpen) bool { return !isKEK(k) }), "")
		}
		if len(updates) > 0 {
			m.check("LKH update", slices.ContainsFunc(updates, isKEK), "")
		}
	}
}

// downloads takes the keys of the download arrays, and returns the last one of each.
func (t lkhTree) downloads(packet *gdoi.KeyPacket) (ends []lkhOpen) {
	for _, value := range packet.Values(gdoi.LKHDownloadArray) {
		bits, _ := gdoi.LKHBits(gdoi.LKHDownloadArray, value)
		a, err := gdoi.ParseLKHDownload(value, 0, bits)
		if err != nil || a.Count != nil || len(a.Keys) == 0 {
			continue
		}
		var end lkhOpen
		for i := range a.Keys {
			end = t.add(&a.Keys[i], a.Keys[i].Data)
		}
		ends = append(ends, end)
	}
	return ends
}

// updates follows the update arrays that begin at a key which was seen, and returns the last key of each.
func (t lkhTree) updates(packet *gdoi.KeyPacket) (ends []lkhOpen) {
	for _, value := range packet.Values(gdoi.LKHUpdateArray) {
		bits, _ := gdoi.LKHBits(gdoi.LKHUpdateArray, value)
		a, err := gdoi.ParseLKHUpdate(value, 0, bits)
		if err != nil || a.Count != nil {
			continue
		}
		for _, begin := range slices.Clone(t[lkhName{a.ID, a.Handle}]) {
			ends = append(ends, t.follow(begin, a.Keys))
		}
	}
	return ends
}

// follow opens keys one after the other, each under the one before. The last one is empty if that cannot be done.
func (t lkhTree) follow(under lkhOpen, keys []gdoi.LKHKey) lkhOpen {
	for i := range keys {
		data, err := under.cipher.UnwrapLKH(under.data, keys[i].Data)
		if err != nil {
			return lkhOpen{}
		}
		if under = t.add(&keys[i], data); under.data == nil {
			return lkhOpen{}
		}
	}
	return under
}

// add remembers a key in clear. It is empty if its cipher is not known.
func (t lkhTree) add(k *gdoi.LKHKey, data []byte) lkhOpen {
	ciphers := map[uint8]keymat.Cipher{gdoi.KEKCipher3DES: keymat.TripleDES, gdoi.KEKCipherAES: keymat.AES}
	c, known := ciphers[k.Type]
	if !known {
		return lkhOpen{}
	}
	open, name := lkhOpen{c, data}, lkhName{k.ID, k.Handle}
	if !slices.ContainsFunc(t[name], func(have lkhOpen) bool { return have.cipher == c && bytes.Equal(have.data, data) }) {
		t[name] = append(t[name], open)
	}
	return open
}
