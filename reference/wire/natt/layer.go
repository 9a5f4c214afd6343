package natt

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/esp"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// LayerTypeNATT is the gopacket layer between UDP port 4500 and what a datagram there holds.
var LayerTypeNATT = gopacket.RegisterLayerType(1851, gopacket.LayerTypeMetadata{
	Name: "NAT-T", Decoder: gopacket.DecodeFunc(decodeLayer),
})

func init() { layers.RegisterUDPPortLayerType(Port, LayerTypeNATT) }

// Layer is what UDP encapsulation adds: the marker or the keepalive, or nothing in front of ESP.
type Layer struct {
	layers.BaseLayer
	Kind Kind
}

// LayerType returns LayerTypeNATT.
func (l *Layer) LayerType() gopacket.LayerType { return LayerTypeNATT }

// CanDecode returns LayerTypeNATT.
func (l *Layer) CanDecode() gopacket.LayerClass { return LayerTypeNATT }

// NextLayerType is that of ISAKMP or ESP. Behind a keepalive nothing follows.
func (l *Layer) NextLayerType() gopacket.LayerType {
	switch l.Kind {
	case KindISAKMP:
		return isakmp.LayerTypeISAKMP
	case KindESP:
		return esp.LayerTypeESP
	}
	return gopacket.LayerTypeZero
}

// DecodeFromBytes reads the payload of a UDP datagram. It fails with a *wire.Error if that is too short for any kind, or a
// marker with nothing behind it.
func (l *Layer) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	kind, inside, err := Split(data)
	if kind == KindISAKMP && len(inside) == 0 {
		err = &wire.Error{Offset: MarkerLen, Field: "ISAKMP message", Err: wire.ErrShort}
	}
	if err != nil {
		df.SetTruncated()
		return err
	}
	front := len(data) - len(inside)
	*l = Layer{BaseLayer: layers.BaseLayer{Contents: data[:front:front], Payload: inside}, Kind: kind}
	return nil
}

// SerializeTo writes the marker in front of what is in b, or the keepalive.
func (l *Layer) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	var front []byte
	switch l.Kind {
	case KindISAKMP:
		front = AppendMarker(nil)
	case KindKeepalive:
		front = AppendKeepalive(nil)
	}
	out, err := b.PrependBytes(len(front))
	if err != nil {
		return err
	}
	copy(out, front)
	return nil
}

func decodeLayer(data []byte, p gopacket.PacketBuilder) error {
	l := &Layer{}
	if err := l.DecodeFromBytes(data, p); err != nil {
		return err
	}
	p.AddLayer(l)
	if l.Kind == KindKeepalive {
		return nil
	}
	return p.NextDecoder(l.NextLayerType())
}
