package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/policy"
)

var (
	// ErrNoPeer means that an SA does not preserve the destination address, and no tunnel peer is configured for it.
	ErrNoPeer = errors.New("gateway: no tunnel peer to send to")
	// ErrNoAddress means that the outer source would be the gateway's own address, and it has none of that IP version.
	ErrNoAddress = errors.New("gateway: no address of its own to send from")
)

// defaultTTL is what the gateway's own packets start with.
const defaultTTL = 64

// address finds the outer addresses of a parcel (RFC 5374 §3.1, §5.1): where an address is not preserved, that of the gateway
// and of the peer in front of the destination. Without any preservation the peer may be of the other IP version.
func (g *Gateway) address(x *parcel) error {
	x.source, x.destination = x.flow.Source, x.flow.Destination
	if transports(x.entry) {
		return nil
	}
	preserve := x.entry.Policy.Transform.Preservation
	if preserve == policy.PreserveAbsent && !guardOuterAbsent.Kept(g.rules) {
		preserve = policy.PreserveDestination
	}
	if !preserve.Destination() {
		peer, ok := g.peer(x.destination, preserve.Source())
		if !ok {
			return fmt.Errorf("%w: SPI %08x, %v", ErrNoPeer, x.entry.Policy.SPI, x.flow)
		}
		if guardOuterPeer.Kept(g.rules) {
			x.destination = peer
		}
	} else if !guardOuterDestination.Kept(g.rules) {
		x.destination = g.own(x.destination.Is6())
	}
	if !preserve.Source() && guardOuterOwn.Kept(g.rules) || preserve.Source() && !guardOuterSource.Kept(g.rules) {
		x.source = g.own(x.destination.Is6())
	}
	if !x.source.IsValid() || x.source.Is6() != x.destination.Is6() {
		return fmt.Errorf("%w: SPI %08x, %v", ErrNoAddress, x.entry.Policy.SPI, x.flow)
	}
	return nil
}

// peer is the gateway in front of an address: the one with the longest prefix, of the same IP version if an address is
// preserved beside it (RFC 5374 §4.1.2).
func (g *Gateway) peer(destination netip.Addr, sameVersion bool) (peer netip.Addr, ok bool) {
	longest := -1
	for _, p := range g.cfg.Peers {
		fits := p.Network.Contains(destination) && (!sameVersion || p.Gateway.Is6() == destination.Is6())
		if fits && p.Network.Bits() > longest {
			peer, longest = p.Gateway, p.Network.Bits()
		}
	}
	return peer, longest >= 0
}

// own is the gateway's address of an IP version; not valid if it has none.
func (g *Gateway) own(v6 bool) netip.Addr { return g.addresses[version(v6)] }

// version is a place in a pair: IPv4 first.
func version(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}

// outerLen is the length of an outer header, which has neither options nor extension headers.
func (x *parcel) outerLen() int {
	if x.destination.Is6() {
		return header6Len
	}
	return headerLen
}

// appendOuter appends the outer header, without length and checksum (RFC 4301 §5.1.2).
func (g *Gateway) appendOuter(b []byte, x *parcel) []byte {
	if x.destination.Is6() {
		return g.appendOuter6(b, x)
	}
	return g.appendOuter4(b, x)
}

// appendOuter4 follows RFC 4301 §5.1.2.1.
func (g *Gateway) appendOuter4(b []byte, x *parcel) []byte {
	var h [headerLen]byte
	h[0] = 4<<4 | headerLen/4
	h[offTOS] = g.outerTOS(x.tos())
	g.id++
	binary.BigEndian.PutUint16(h[offID:], uint16(g.id))
	if g.outerDF(x) {
		h[offFragment] = flagDF >> 8
	}
	h[offTTL], h[offProtocol] = g.outerTTL(x), protocolOf(x.entry)
	putAddr4(h[offSource:], x.source)
	putAddr4(h[offDestination:], x.destination)
	if ihl := int(x.bytes[0]&0x0f) * 4; !x.is6() && ihl > headerLen && !guardOuterOptions.Kept(g.rules) {
		h[0] = x.bytes[0]
		return append(append(b, h[:]...), x.bytes[headerLen:ihl]...)
	}
	return append(b, h[:]...)
}

// appendOuter6 follows RFC 4301 §5.1.2.2. The flow label is zero: a gateway does not copy it.
func (g *Gateway) appendOuter6(b []byte, x *parcel) []byte {
	var h [header6Len]byte
	tos := g.outerTOS(x.tos())
	h[0], h[1] = 6<<4|tos>>4, tos<<4
	if x.is6() && !guardOuterFlow.Kept(g.rules) {
		h[1], h[2], h[3] = h[1]|x.bytes[1]&0x0f, x.bytes[2], x.bytes[3]
	}
	h[off6Next], h[off6HopLimit] = protocolOf(x.entry), g.outerTTL(x)
	putAddr6(h[off6Source:], x.source)
	putAddr6(h[off6Destination:], x.destination)
	if x.is6() && x.routedLen > header6Len && !guardOuterOptions.Kept(g.rules) {
		h[off6Next] = x.bytes[off6Next]
		b = append(append(b, h[:]...), x.bytes[header6Len:x.routedLen]...)
		b[len(b)-x.routedLen+x.routedNextAt] = protocolOf(x.entry)
		return b
	}
	return append(b, h[:]...)
}

// outerTOS is the inner DSCP, or that of the configuration, and the inner ECN field.
func (g *Gateway) outerTOS(tos byte) byte {
	switch {
	case g.cfg.DSCP != nil && guardOuterFixed.Kept(g.rules):
		tos = *g.cfg.DSCP<<2 | tos&maskECN
	case !guardOuterDSCP.Kept(g.rules):
		tos &= maskECN
	}
	if !guardOuterECN.Kept(g.rules) {
		tos &^= maskECN
	}
	return tos
}

// outerDF is the inner DF bit, or what the configuration says. IPv6 has none to copy.
func (g *Gateway) outerDF(x *parcel) bool {
	if g.cfg.DF != policy.DFCopy && guardOuterDFPolicy.Kept(g.rules) {
		return g.cfg.DF == policy.DFSet
	}
	return x.dontFragment() && guardOuterDF.Kept(g.rules)
}

func (g *Gateway) outerTTL(x *parcel) byte {
	switch {
	case !guardOuterTTL.Kept(g.rules):
		return x.bytes[x.ttlAt()]
	case g.cfg.TTL > 0:
		return byte(g.cfg.TTL)
	}
	return defaultTTL
}

func putAddr4(b []byte, a netip.Addr) {
	octets := a.As4()
	copy(b, octets[:])
}

func putAddr6(b []byte, a netip.Addr) {
	octets := a.As16()
	copy(b, octets[:])
}
