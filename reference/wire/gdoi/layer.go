package gdoi

import (
	"github.com/google/gopacket"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// LayerTypePull is the gopacket layer of a GROUPKEY-PULL message that has been decrypted: the header as received, then
// the plaintext.
var LayerTypePull = gopacket.RegisterLayerType(1849, gopacket.LayerTypeMetadata{
	Name: "GROUPKEY-PULL", Decoder: gopacket.DecodeFunc(decodePullLayer),
})

// LayerTypePush is the same for GROUPKEY-PUSH. GROUPKEY-PUSH-ACK travels in clear, as isakmp.LayerTypeISAKMP.
var LayerTypePush = gopacket.RegisterLayerType(1850, gopacket.LayerTypeMetadata{
	Name: "GROUPKEY-PUSH", Decoder: gopacket.DecodeFunc(decodePushLayer),
})

func init() {
	isakmp.RegisterLayerDialect(isakmp.ExchangePull, Pull)
	isakmp.RegisterLayerDialect(isakmp.ExchangePush, Push)
	isakmp.RegisterLayerDialect(isakmp.ExchangePushACK, ACK)
}

// PullLayer is a decrypted GROUPKEY-PULL message as a gopacket layer.
type PullLayer struct{ isakmp.Layer }

// PushLayer is a decrypted GROUPKEY-PUSH message as a gopacket layer.
type PushLayer struct{ isakmp.Layer }

// LayerType returns LayerTypePull.
func (l *PullLayer) LayerType() gopacket.LayerType { return LayerTypePull }

// LayerType returns LayerTypePush.
func (l *PushLayer) LayerType() gopacket.LayerType { return LayerTypePush }

// CanDecode returns LayerTypePull.
func (l *PullLayer) CanDecode() gopacket.LayerClass { return LayerTypePull }

// CanDecode returns LayerTypePush.
func (l *PushLayer) CanDecode() gopacket.LayerClass { return LayerTypePush }

// DecodeFromBytes reads header and plaintext; see isakmp.Layer.
func (l *PullLayer) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	return l.DecodePlain(data, Pull, df)
}

// DecodeFromBytes reads header and plaintext; see isakmp.Layer.
func (l *PushLayer) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	return l.DecodePlain(data, Push, df)
}

func decodePullLayer(data []byte, p gopacket.PacketBuilder) error {
	l := &PullLayer{}
	err := l.DecodeFromBytes(data, p)
	p.AddLayer(l)
	p.SetApplicationLayer(l)
	return err
}

func decodePushLayer(data []byte, p gopacket.PacketBuilder) error {
	l := &PushLayer{}
	err := l.DecodeFromBytes(data, p)
	p.AddLayer(l)
	p.SetApplicationLayer(l)
	return err
}
