package peer

import (
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Demands are the features that a group's policy asks of the devices in it, from the key server's configuration and those of
// the members that count. What is not to be seen in a policy, a spec has to name itself.
func Demands(ks policy.KeyServer, members []policy.Member) []string {
	var d demands
	d.add(len(ks.Groups) > 1, "several-groups")
	for _, g := range ks.Groups {
		d.group(g)
	}
	for _, m := range members {
		d.add(len(m.Authorised) > 0, "authorisation")
		d.add(m.FailOpen, "fail-open")
		d.add(m.ReplayWindow > 0, "replay-window")
		d.add(m.Address.Addr().Is6(), "ipv6")
	}
	return d
}

// demands gathers features, each once.
type demands []string

func (d *demands) add(asked bool, feature string) {
	if asked && !slices.Contains(*d, feature) {
		*d = append(*d, feature)
	}
}

// byTable adds the feature that a table has for a value; a value that it does not know asks for nothing.
func byTable[T comparable](d *demands, table map[T]string, value T) {
	name, ok := table[value]
	d.add(ok, name)
}

func (d *demands) group(g policy.Group) {
	byTable(d, transports, g.Rekey.Transport)
	d.add(g.Rekey.Ack != policy.AckNone, "ack")
	d.add(g.Activation.ATD != nil || g.Activation.DTD != nil, "gap")
	d.add(len(g.SAs) > 1, "several-sas")
	for _, sa := range g.SAs {
		d.add(sa.Selector.Source.Addr().Is6(), "ipv6")
		d.transform(sa.Transform)
		if sa.Transform.CounterMode() {
			byTable(d, sidBits, g.SIDBits)
		}
	}
}

func (d *demands) transform(t policy.Transform) {
	byTable(d, ciphers, t.Cipher)
	byTable(d, integrities, t.Integrity)
	byTable(d, modes, t.Mode)
	if t.Cipher != policy.Cipher3DES && t.Cipher != policy.CipherNULL {
		d.add(t.KeyBits > 0, fmt.Sprintf("esp:key-%d", t.KeyBits))
	}
	d.add(t.Direction == policy.DirectionSenderOnly || t.Direction == policy.DirectionReceiverOnly, "direction")
}

var transports = map[policy.Transport]string{
	policy.TransportUnicast: "unicast", policy.TransportMulticast: "multicast", policy.TransportNone: "no-rekey",
}

// sidBits has 0, which stands for 8.
var sidBits = map[int]string{0: "sid:8", 8: "sid:8", 12: "sid:12", 16: "sid:16"}

var ciphers = map[policy.Cipher]string{
	policy.Cipher3DES: "esp:3des", policy.CipherNULL: "esp:null", policy.CipherAESCBC: "esp:aes-cbc",
	policy.CipherAESGCM8: "esp:aes-gcm-8", policy.CipherAESGCM12: "esp:aes-gcm-12", policy.CipherAESGCM16: "esp:aes-gcm-16",
	policy.CipherGMAC: "esp:aes-gmac",
}

var integrities = map[policy.Integrity]string{
	policy.IntegrityHMACSHA1: "esp:hmac-sha1", policy.IntegrityHMACSHA256: "esp:hmac-sha256",
	policy.IntegrityHMACSHA384: "esp:hmac-sha384", policy.IntegrityHMACSHA512: "esp:hmac-sha512",
}

var modes = map[policy.Mode]string{policy.ModeTunnel: "tunnel-mode", policy.ModeTransport: "transport-mode"}
