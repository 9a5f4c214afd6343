package isakmp

import (
	"fmt"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// LayerTypeISAKMP is the gopacket layer of an ISAKMP message: what is found on UDP ports 500 and 848, and on
// port 4500 behind a marker (package natt).
var LayerTypeISAKMP = gopacket.RegisterLayerType(1848, gopacket.LayerTypeMetadata{
	Name:    "ISAKMP",
	Decoder: gopacket.DecodeFunc(decodeLayer),
})

func init() {
	layers.RegisterUDPPortLayerType(500, LayerTypeISAKMP)
	layers.RegisterUDPPortLayerType(848, LayerTypeISAKMP)
}

var layerDialects = map[ExchangeType]Dialect{}

// RegisterLayerDialect says how LayerTypeISAKMP reads the payloads of an exchange when they are in clear; others are
// read as Phase 1. It is for the init functions of packages that have a dialect.
func RegisterLayerDialect(x ExchangeType, d Dialect) { layerDialects[x] = d }

// Layer is an ISAKMP message as a gopacket layer. If it is encrypted, the payloads are the layer's opaque payload.
type Layer struct {
	layers.BaseLayer
	Header   Header
	Payloads []Decoded // of a message in clear
	Padding  []byte    // what follows the last payload
}

// LayerType returns LayerTypeISAKMP.
func (l *Layer) LayerType() gopacket.LayerType { return LayerTypeISAKMP }

// CanDecode returns LayerTypeISAKMP.
func (l *Layer) CanDecode() gopacket.LayerClass { return LayerTypeISAKMP }

// NextLayerType says that ciphertext is opaque.
func (l *Layer) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// DecodeFromBytes reads a message as it was on the wire. When it fails, the header and the payloads before the bad one
// are there if they could be read. A message shorter than its header says fails and is reported as truncated.
func (l *Layer) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if err := l.decodeHeader(data, df); err != nil {
		return err
	}
	if l.Header.Flags&FlagEncryption != 0 {
		l.BaseLayer = layers.BaseLayer{Contents: data[:HeaderLen], Payload: data[HeaderLen:]}
		return l.whole(data)
	}
	d, ok := layerDialects[l.Header.Exchange]
	if !ok {
		d = Phase1
	}
	return l.decodePayloads(data, d)
}

// DecodePlain reads a message whose payloads have been decrypted: the header as received, then the plaintext.
func (l *Layer) DecodePlain(data []byte, d Dialect, df gopacket.DecodeFeedback) error {
	if err := l.decodeHeader(data, df); err != nil {
		return err
	}
	return l.decodePayloads(data, d)
}

func (l *Layer) decodeHeader(data []byte, df gopacket.DecodeFeedback) (err error) {
	*l = Layer{BaseLayer: layers.BaseLayer{Contents: data}}
	if l.Header, err = ParseHeader(data); err != nil || int64(l.Header.Length) > int64(len(data)) {
		df.SetTruncated()
	}
	return err
}

func (l *Layer) decodePayloads(data []byte, d Dialect) (err error) {
	l.Payloads, l.Padding, err = d.Parse(l.Header.NextPayload, data[HeaderLen:], HeaderLen)
	if err != nil {
		return err
	}
	return l.whole(data)
}

// whole fails if the message ends before its header says.
func (l *Layer) whole(data []byte) error {
	if int64(l.Header.Length) > int64(len(data)) {
		return &wire.Error{Offset: len(data), Field: "message", Err: wire.ErrShort}
	}
	return nil
}

// LayerPayload returns the ciphertext, or nothing.
func (l *Layer) LayerPayload() []byte { return l.BaseLayer.Payload }

// Payload implements gopacket.ApplicationLayer; it is the ciphertext, or nothing.
func (l *Layer) Payload() []byte { return l.BaseLayer.Payload }

// String returns the header in words and the payloads' types, in one line.
func (l *Layer) String() string {
	h := &l.Header
	var s strings.Builder
	fmt.Fprintf(&s, "%v %v/%v flags %v message %08x length %d:", h.Exchange, h.InitiatorCookie, h.ResponderCookie, h.Flags,
		h.MessageID, h.Length)
	for i := range l.Payloads {
		fmt.Fprintf(&s, " %v", l.Payloads[i].Payload.Type())
	}
	if len(l.Payload()) > 0 {
		fmt.Fprintf(&s, " %d octets encrypted", len(l.Payload()))
	}
	return s.String()
}

// SerializeTo writes the header and the payloads in front of what is in b, which is ciphertext or padding. With
// FixLengths it fills in Next Payload, if there are payloads, and Length.
func (l *Layer) SerializeTo(b gopacket.SerializeBuffer, opts gopacket.SerializeOptions) error {
	ps := Payloads(l.Payloads)
	h := l.Header
	body, err := AppendPayloads(nil, ps)
	if err != nil {
		return err
	}
	if opts.FixLengths {
		h.Length = uint32(HeaderLen + len(body) + len(b.Bytes()))
		if len(ps) > 0 {
			h.NextPayload = FirstType(ps)
		}
	}
	out, err := b.PrependBytes(HeaderLen + len(body))
	if err != nil {
		return err
	}
	copy(out[len(h.Append(out[:0])):], body)
	return nil
}

func decodeLayer(data []byte, p gopacket.PacketBuilder) error {
	l := &Layer{}
	err := l.DecodeFromBytes(data, p)
	p.AddLayer(l)
	p.SetApplicationLayer(l)
	if err != nil {
		return err
	}
	return p.NextDecoder(l.NextLayerType())
}
