package gdoi

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// KD is the Key Download payload (RFC 6407 §5.6).
//
//	number of key packets (2) | reserved (2) | key packets
type KD struct {
	Reserved2 uint16
	Packets   []KeyPacket
	Count     *uint16 // overrides the number of key packets; after decoding, set if it was another than that of Packets
}

// KeyPacket is one key packet of a KD payload (RFC 6407 §5.6). Its length field counts the whole packet.
//
//	type (1) | reserved (1) | length (2) | SPI size (1) | SPI | attributes
type KeyPacket struct {
	Type        KDType
	Reserved    uint8
	SPI         []byte           // that of the SAT or SAK whose key this is; none with KDTypeSID
	Attributes  []wire.Attribute // see TEKKeyAttribute, KEKKeyAttribute, LKHAttribute, SIDAttribute
	LengthDelta int              // when writing, added to the length field, modulo 2^16
}

const keyPacketHeadLen = 4

// Type returns PayloadKD.
func (KD) Type() isakmp.PayloadType { return isakmp.PayloadKD }

// AppendBody appends the body.
func (p KD) AppendBody(b []byte) ([]byte, error) {
	if len(p.Packets) > math.MaxUint16 {
		return nil, &wire.Error{Offset: len(b), Field: "KD number of key packets", Err: wire.ErrLength}
	}
	count := uint16(len(p.Packets))
	if p.Count != nil {
		count = *p.Count
	}
	b = binary.BigEndian.AppendUint16(b, count)
	b = binary.BigEndian.AppendUint16(b, p.Reserved2)
	for i := range p.Packets {
		var err error
		if b, err = p.Packets[i].append(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (p *KeyPacket) append(b []byte) ([]byte, error) {
	start := len(b)
	if len(p.SPI) > math.MaxUint8 {
		return nil, &wire.Error{Offset: start + keyPacketHeadLen, Field: "KD SPI size", Err: wire.ErrLength}
	}
	b = append(b, byte(p.Type), p.Reserved, 0, 0, byte(len(p.SPI)))
	b, err := wire.AppendAttributes(append(b, p.SPI...), p.Attributes)
	if err != nil {
		return nil, err
	}
	n := len(b) - start
	if n > math.MaxUint16 {
		return nil, &wire.Error{Offset: start + 2, Field: "KD key packet length", Err: wire.ErrLength}
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(n+p.LengthDelta))
	return b, nil
}

// ParseKD reads the body of a KD payload. It reads key packets to the end, however many were announced.
func ParseKD(body []byte, offset int) (KD, error) {
	r := wire.NewReaderAt(body, offset)
	count := r.Uint16("KD number of key packets")
	p := KD{Reserved2: r.Uint16("KD reserved")}
	var slab attributeSlab
	for r.Len() > 0 {
		p.Packets = append(p.Packets, readKeyPacket(r, &slab))
	}
	if err := r.Done(); err != nil {
		return KD{}, err
	}
	if int(count) != len(p.Packets) {
		p.Count = &count
	}
	return p, nil
}

func readKeyPacket(r *wire.Reader, slab *attributeSlab) KeyPacket {
	p := KeyPacket{Type: KDType(r.Uint8("KD type")), Reserved: r.Uint8("KD key packet reserved")}
	at := r.Offset()
	n := int(r.Uint16("KD key packet length")) - keyPacketHeadLen
	if r.Err() == nil && (n < 1 || n > r.Len()) {
		r.Fail(at, "KD key packet length", wire.ErrLength)
	}
	at = r.Offset()
	packet := wire.NewReaderAt(r.Bytes(n, "KD key packet"), at)
	if r.Err() != nil {
		return KeyPacket{}
	}
	size := packet.Uint8("KD SPI size")
	p.SPI = packet.Bytes(int(size), "KD SPI")
	p.Attributes = slab.read(packet)
	r.Adopt(packet.Done())
	return p
}
