package tester

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// MetadataProtocol is the protocol number of the header that a member of GET VPN puts between ESP and a packet (docs/getvpn.md).
const MetadataProtocol = 99

// The kinds of such a header: with a pseudotime, and with the tag of a security group.
const (
	kindStamp = 1
	kindTag   = 2
)

// tagOctets is the length of a header with a tag.
const tagOctets = 8

// ESPStamp puts a header with that pseudotime, in hundredths of a second, between ESP and the inner packet (GETVPN-TBAR-06). An honest
// sender stamps with the pseudotime at which the packet is made.
func ESPStamp(stamp uint64) ESPOption { return ESPStampLen(stamp, 12) }

// ESPStampLen is ESPStamp with a header of so many octets; IOS XE sends 16 (GETVPN-TBAR-24).
func ESPStampLen(stamp uint64, octets int) ESPOption {
	return func(f *espForm) {
		header := make([]byte, octets)
		header[0], header[1], header[3] = f.next, uint8(octets), kindStamp
		binary.BigEndian.PutUint64(header[4:], stamp)
		f.inner, f.next = append(header, f.inner...), MetadataProtocol
	}
}

// ESPTag puts a header with the tag of a security group between ESP and the inner packet, behind that of an ESPStamp that comes later
// (GETVPN-SGT-01).
func ESPTag(tag uint16) ESPOption {
	return func(f *espForm) {
		header := []byte{f.next, tagOctets, 0, kindTag, byte(tag >> 8), byte(tag), 0, 0}
		f.inner, f.next = append(header, f.inner...), MetadataProtocol
	}
}

// Tag reads the header with a tag in front of octets that a protocol number stands before, and returns what is behind it; ok is false if
// there is none.
func Tag(next uint8, b []byte) (tag uint16, inner []byte, ok bool) {
	if next != MetadataProtocol || len(b) < tagOctets || b[1] != tagOctets || binary.BigEndian.Uint16(b[2:]) != kindTag {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(b[4:]), b[tagOctets:], true
}

// Stamp is what a header in front of an inner packet says.
type Stamp struct {
	Pseudotime uint64 // hundredths of a second
	Octets     int    // of the header
	Next       uint8  // protocol of what is behind it
	Inner      []byte
}

// Stamp reads the header with a pseudotime between ESP and the inner packet; ok is false if there is none.
func (c ESPContent) Stamp() (s Stamp, ok bool) {
	if c.Next != MetadataProtocol || len(c.Inner) < 12 {
		return s, false
	}
	s = Stamp{Pseudotime: binary.BigEndian.Uint64(c.Inner[4:]), Octets: int(c.Inner[1]), Next: c.Inner[0]}
	if binary.BigEndian.Uint16(c.Inner[2:]) != kindStamp || s.Octets < 12 || s.Octets > len(c.Inner) {
		return s, false
	}
	s.Inner = c.Inner[s.Octets:]
	return s, true
}

// Pseudotime has the SATs of a message tell that pseudotime, in hundredths of a second, as if the key server's were that
// (GETVPN-TBAR-21 to GETVPN-TBAR-23).
func Pseudotime(kind core.Kind, stamp uint64) Deviation {
	d := EditSAT(kind, fmt.Sprintf("the pseudotime %d.%02d", stamp/100, stamp%100), func(t *gdoi.SAT) {
		number := policy.DefaultReplayAttributes.Pseudotime
		told := func(a wire.Attribute) bool { return a.Type == number }
		if t.ESP != nil && slices.ContainsFunc(t.ESP.Attributes, told) {
			t.ESP.Attributes = SetAttribute(t.ESP.Attributes, wire.TLV(number, binary.BigEndian.AppendUint64(nil, stamp)))
		}
	})
	d.Section = "GETVPN-TBAR-21"
	return d
}
