package esp

import (
	"encoding/binary"
	"slices"
)

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

func (g *gmac) seal(out []byte, start int, high uint32) {
	packet := out[start:]
	end := len(packet) - fullTag
	switch nonce := g.nonceOf(packet); {
	case !guardGMACIV.Kept(g.rules):
		g.cipher().Seal(packet[end:end], nonce, nil, slices.Concat(g.header(packet, high), packet[headerLen+ivLen:end]))
	case g.esn && start >= upperLen:
		g.sealBehind(out, start, nonce, high)
	default:
		g.cipher().Seal(packet[end:end], nonce, nil, g.data(packet[:end], high))
	}
}

const upperLen = 4 // the upper half of an extended sequence number

// sealBehind makes room for the upper half of the sequence number by moving the SPI over the last octets before the packet, for as
// long as it takes: that is quicker than a copy of the packet, by a tenth of the whole at 1,400 octets.
func (g *gmac) sealBehind(out []byte, start int, nonce []byte, high uint32) {
	var before, spi [upperLen]byte
	data, packet := out[start-upperLen:len(out)-fullTag], out[start:]
	copy(before[:], data)
	copy(spi[:], packet)
	copy(data, spi[:])
	binary.BigEndian.PutUint32(packet, high)
	g.cipher().Seal(out[:len(out)-fullTag], nonce, nil, data)
	copy(data, before[:])
	copy(packet, spi[:])
}

func (g *gmac) open(dst, packet []byte, high uint32) ([]byte, error) {
	end := len(packet) - fullTag
	_, err := g.cipher().Open(dst, g.nonceOf(packet), packet[end:], g.data(packet[:end], high))
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
