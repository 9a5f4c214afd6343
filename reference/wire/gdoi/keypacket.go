package gdoi

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// TEKPacket is the key packet of the SAT with that SPI (RFC 6407 §5.6.1). Its attributes are those of TEKKeyAttribute.
func TEKPacket(spi uint32, as ...wire.Attribute) KeyPacket {
	return KeyPacket{Type: KDTypeTEK, SPI: binary.BigEndian.AppendUint32(nil, spi), Attributes: as}
}

// KEKPacket is the key packet of the SAK with that SPI (RFC 6407 §5.6.2). Its attributes are those of KEKKeyAttribute.
func KEKPacket(spi [16]byte, as ...wire.Attribute) KeyPacket {
	return KeyPacket{Type: KDTypeKEK, SPI: spi[:], Attributes: as}
}

// LKHPacket is the key packet with the LKH arrays of the SAK with that SPI (RFC 6407 §5.6.3). Its attributes are those of
// LKHAttribute.
func LKHPacket(spi [16]byte, as ...wire.Attribute) KeyPacket {
	return KeyPacket{Type: KDTypeLKH, SPI: spi[:], Attributes: as}
}

// SIDPacket is the key packet with Sender-IDs of that many bits (RFC 6407 §5.6.4). It has no SPI.
func SIDPacket(bits uint16, ids ...uint32) KeyPacket {
	p := KeyPacket{Type: KDTypeSID, Attributes: []wire.Attribute{wire.TV(SIDBits, bits)}}
	for _, id := range ids {
		p.Attributes = append(p.Attributes, wire.TLV32(SIDValue, id))
	}
	return p
}

// Values returns the values of the attributes of that number, in their order.
func (p *KeyPacket) Values(number uint16) [][]byte {
	var values [][]byte
	for _, a := range p.Attributes {
		if a.Type == number {
			values = append(values, a.Value)
		}
	}
	return values
}
