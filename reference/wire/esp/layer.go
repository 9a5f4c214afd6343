package esp

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// LayerTypeESP is the gopacket layer of an ESP packet. It takes the place of gopacket's own behind IP protocol 50,
// which indexes before it looks at the length.
var LayerTypeESP = gopacket.RegisterLayerType(1050, gopacket.LayerTypeMetadata{
	Name: "ESP", Decoder: gopacket.DecodeFunc(decodeLayer),
})

func init() {
	layers.IPProtocolMetadata[Protocol] = layers.EnumMetadata{
		DecodeWith: gopacket.DecodeFunc(decodeLayer), Name: "ESP", LayerType: LayerTypeESP,
	}
}

// Layer is an ESP packet as a gopacket layer. Its payload is everything behind the header: IV, ciphertext and ICV.
type Layer struct {
	layers.BaseLayer
	Header
}

// LayerType returns LayerTypeESP.
func (l *Layer) LayerType() gopacket.LayerType { return LayerTypeESP }

// CanDecode returns LayerTypeESP.
func (l *Layer) CanDecode() gopacket.LayerClass { return LayerTypeESP }

// NextLayerType says that ciphertext is opaque.
func (l *Layer) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// DecodeFromBytes reads an ESP packet. It fails with a *wire.Error if the header is not whole.
func (l *Layer) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	h, err := ParseHeader(data)
	if err != nil {
		df.SetTruncated()
		return err
	}
	*l = Layer{BaseLayer: layers.BaseLayer{Contents: data[:HeaderLen], Payload: data[HeaderLen:]}, Header: h}
	return nil
}

// SerializeTo writes the header in front of what is in b.
func (l *Layer) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	out, err := b.PrependBytes(HeaderLen)
	if err != nil {
		return err
	}
	l.Append(out[:0])
	return nil
}

func decodeLayer(data []byte, p gopacket.PacketBuilder) error {
	l := &Layer{}
	if err := l.DecodeFromBytes(data, p); err != nil {
		return err
	}
	p.AddLayer(l)
	return p.NextDecoder(l.NextLayerType())
}
