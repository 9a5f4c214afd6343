package tester

import (
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/harness/lab"
)

// espForm is an ESP packet before it is sealed.
type espForm struct {
	spi       uint32
	sequence  uint64 // with extended numbers all of it counts, else the lower half
	iv        []byte
	inner     []byte
	traffic   int     // octets between the inner packet and the padding
	padding   *[]byte // nil: as much as is needed, 1, 2, 3, …
	padLength *uint8  // nil: the length of the padding
	next      uint8
	icv       int
	outer     lab.IPv4
	finish    []func(esp []byte) // changes to the sealed packet
	udp       *udpForm           // nil: ESP is the payload of IP
}

// body is what gets encrypted (RFC 4303 §2.4, §2.7).
func (f *espForm) body(align int) []byte {
	b := append(slices.Clone(f.inner), make([]byte, f.traffic)...)
	if f.padding == nil {
		var counting []byte
		for i := 1; (len(b)+i+1)%align != 0; i++ {
			counting = append(counting, byte(i))
		}
		f.padding = &counting
	}
	b = append(b, *f.padding...)
	length := uint8(len(*f.padding))
	if f.padLength != nil {
		length = *f.padLength
	}
	return append(b, length, f.next)
}

// ESPOption is one way in which a forged ESP packet differs from an honest one.
type ESPOption func(*espForm)

// ESPSequence gives the packet that sequence number (RFC 4303 §2.2).
func ESPSequence(n uint32) ESPOption { return ESPExtended(uint64(n)) }

// ESPExtended gives the packet that extended sequence number, of which the lower half is sent (RFC 4303 §2.2.1).
func ESPExtended(n uint64) ESPOption { return func(f *espForm) { f.sequence = n } }

// ESPSPI has the packet name another SA, with the ICV made for that name (RFC 4303 §2.1).
func ESPSPI(spi uint32) ESPOption { return func(f *espForm) { f.spi = spi } }

// ESPIV sends the packet under that IV (RFC 6054 §3).
func ESPIV(iv []byte) ESPOption { return func(f *espForm) { f.iv = iv } }

// ESPNext sets the Next Header; 59 makes a dummy packet (RFC 4303 §2.6).
func ESPNext(next uint8) ESPOption { return func(f *espForm) { f.next = next } }

// ESPPadding has the packet padded with those octets, under a right ICV (RFC 4303 §2.4). With the inner packet and the
// two octets behind them they have to fill whole blocks.
func ESPPadding(octets []byte) ESPOption { return func(f *espForm) { f.padding = &octets } }

// ESPPadLength has the Pad Length say another length than the padding has (RFC 4303 §2.4).
func ESPPadLength(n uint8) ESPOption { return func(f *espForm) { f.padLength = &n } }

// ESPTrafficPadding puts so many octets between the inner packet and the padding (RFC 4303 §2.7).
func ESPTrafficPadding(octets int) ESPOption { return func(f *espForm) { f.traffic = octets } }

// ESPShortICV cuts the ICV down to its first 12 octets (RFC 4868 §2.3, RFC 4106 §6).
func ESPShortICV() ESPOption { return ESPICV(12) }

// ESPICV sends so many octets of what the algorithm makes, be it fewer or more than its transform has (RFC 4868 §2.3,
// RFC 2404 §2, RFC 4106 §6, RFC 4543 §3.4).
func ESPICV(octets int) ESPOption { return func(f *espForm) { f.icv = octets } }

// ESPFlip changes one bit of the sealed packet at that octet, counted from the SPI, or from the end if it is negative
// (RFC 4303 §3.4.4.1).
func ESPFlip(offset int) ESPOption {
	return func(f *espForm) {
		f.finish = append(f.finish, func(esp []byte) {
			at := offset
			if at < 0 {
				at += len(esp)
			}
			esp[at] ^= 0x01
		})
	}
}

// OuterSource sends the packet from another address than the inner one (RFC 5374 §5.2).
func OuterSource(a netip.Addr) ESPOption { return func(f *espForm) { f.outer.Source = a } }

// OuterDestination sends the packet to another address than the inner one (RFC 5374 §5.2).
func OuterDestination(a netip.Addr) ESPOption { return func(f *espForm) { f.outer.Destination = a } }

// OuterTOS sets DSCP and ECN of the outer header (RFC 4301 §5.1.2.1).
func OuterTOS(tos uint8) ESPOption { return func(f *espForm) { f.outer.TOS = tos } }

// OuterID sets the identification of the outer header, which fragments share (RFC 4303 §3.4.1).
func OuterID(id uint16) ESPOption { return func(f *espForm) { f.outer.ID = id } }

// OuterMoreFragments marks the packet as the first of several, though it is whole (RFC 4303 §3.4.1).
func OuterMoreFragments() ESPOption { return func(f *espForm) { f.outer.MoreFragments = true } }
