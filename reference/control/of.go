package control

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// KEKOf describes a Rekey SA.
func KEKOf(r policy.RekeySA) *KEK {
	k := &KEK{
		Transport: string(policy.TransportUnicast), Cipher: policy.KEKTransform{Cipher: r.Cipher, KeyBits: r.KeyBits}.Word(), KeyBits: r.KeyBits,
		SigHash: r.SigHash.Word(), SigAlgorithm: r.SigAlgorithm.Word(), SigKeyBits: r.SigKeyBits, PublicKey: len(r.PublicKey),
		Lifetime: seconds(r.Lifetime), Ends: endsOf(r.Source, r.Destination),
	}
	if form, ok := r.Cipher.Form(); ok {
		k.IV = form.IV
	}
	if r.Destination.Addr().IsMulticast() {
		k.Transport = string(policy.TransportMulticast)
	}
	if r.Ack != policy.AckNone {
		k.Ack = r.Ack.Word()
	}
	if r.LKH != nil {
		k.Management = "lkh"
	}
	return k
}

// DetailOf describes a Data-Security SA.
func DetailOf(sa policy.TrafficSA) SADetail {
	t := sa.Transform
	d := SADetail{
		Protocol: t.Protocol.Word(), Transform: t.Name(), Mode: t.Mode.Word(), Direction: t.Direction.Word(),
		KeyOctets: t.CipherKeyLen(), IntegrityOctets: t.IntegrityKeyLen(), Lifetime: seconds(sa.Lifetime),
	}
	if c, ok := t.Cipher.Form(); ok {
		d.KeyOctets -= c.Salt
	}
	if s := sa.Selector; s.Source.IsValid() {
		d.Source, d.Destination = s.Source.String(), s.Destination.String()
		d.IPProtocol, d.SourcePort, d.DestinationPort = s.Protocol, s.SourcePort, s.DestinationPort
	}
	return d
}

func seconds(d time.Duration) int { return int(d / time.Second) }
