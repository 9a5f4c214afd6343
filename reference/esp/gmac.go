package esp

import "slices"

// gmac is NULL_AUTH_AES-GMAC (RFC 4543 §3.3): GCM with nothing to encrypt, whose additional data is everything from the SPI to
// the Next Header, the IV included.
type gmac struct {
	keyed
	covered []byte // what is authenticated, where that is not the packet as it stands
}

func newGMAC(p parts) (*gmac, error) {
	k, err := newKeyed(p, fullTag)
	return &gmac{keyed: k}, err
}

func (g *gmac) seal(packet []byte, high uint32) {
	end := len(packet) - fullTag
	data := g.data(packet[:end], high)
	if !guardGMACIV.Kept(g.rules) {
		data = slices.Concat(g.header(packet, high), packet[headerLen+ivLen:end])
	}
	g.aead.Seal(packet[end:end], g.nonceOf(packet), nil, data)
}

func (g *gmac) open(dst, packet []byte, high uint32) ([]byte, error) {
	end := len(packet) - fullTag
	_, err := g.aead.Open(dst, g.nonceOf(packet), packet[end:], g.data(packet[:end], high))
	if !guardTag.Holds(g.rules, err == nil) {
		return dst, refused(guardTag, packet)
	}
	return append(dst, packet[headerLen+ivLen:end]...), nil
}

// data is what is authenticated, valid until the next call. The upper half of the sequence number stands between octets that
// are sent.
func (g *gmac) data(octets []byte, high uint32) []byte {
	if !g.esn {
		return octets
	}
	g.covered = append(g.covered[:0], g.header(octets, high)...)
	g.covered = append(g.covered, octets[headerLen:]...)
	return g.covered
}
