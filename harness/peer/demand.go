package peer

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Demands are the features that a group's policy asks of the devices in it, from the key server's configuration and those of
// the members. keyServer says whether the key server is the device; then its Phase 1 counts and of the members only what reaches
// it, their addresses, and else what the members themselves are to do. What is not to be seen in a policy, a spec has to name itself.
func Demands(ks policy.KeyServer, members []policy.Member, keyServer bool) []string {
	var d demands
	d.add(len(ks.Groups) > 1, "several-groups")
	d.add(keyServer && ks.Profile == policy.ProfileGETVPN, "profile:getvpn")
	for _, g := range ks.Groups {
		d.add(keyServer && g.Rekey.KEKBehaviour == policy.KEKOld, "kek-end:old")
		d.add(keyServer && g.Rekey.Reminders, "reminders")
		d.group(g)
		d.rekey(g.Rekey, ks.SigningKey)
		d.add(keyServer && len(g.Identities) > 0, "named-members")
		d.add(keyServer && g.Rekey.Updates > 0, "lkh-parts")
		d.add(keyServer && g.Rekey.Backward, "backward-access-control")
		d.add(g.ReceiveOnly, "receive-only")
		d.add(keyServer && g.Authorization != nil, "authorization")
		d.add(keyServer && g.PacketRate > 0, "packet-rate")
	}
	if keyServer {
		d.phase1(ks.Phase1)
		d.add(len(ks.Router.Interfaces) > 0, "interfaces")
		d.add(len(ks.Router.NullRoutes) > 0, "null-routes")
		d.add(ks.Router.Engine != (policy.CryptoEngine{}), "crypto-engine")
	}
	for _, m := range members {
		if !keyServer {
			d.phase1(m.Phase1)
			d.add(m.Profile == policy.ProfileGETVPN, "profile:getvpn")
			d.add(m.Rekey.KEKBehaviour == policy.KEKOld, "kek-end:old")
			d.add(len(m.Groups) > 1, "several-memberships")
			d.add(m.IPsecFlows > 0, "ipsec-flows")
			d.add(len(m.Joins) > 0, "joins")
			d.add(m.VRF != "", "vrfs")
			d.add(m.PacketRate > 0, "packet-rate")
			d.add(m.Rekey.TellMissed, "tell-missed")
			for _, one := range m.Memberships() {
				d.add(one.Track != nil, "track")
				d.add(one.Track != nil && len(one.Track.Hook) > 0, "track-hook")
				d.add(len(one.Authorised) > 0, "authorisation")
				d.add(one.Passive, "passive")
			}
			d.add(m.Client.Limits(), "client-limits")
			d.add(m.FailOpen, "fail-open")
			d.add(m.ZeroAttributes, "compat:zero-attributes")
			d.add(m.FailClose.Activate || m.FailClose.Revert || len(m.FailClose.AccessList) > 0, "fail-close")
			d.add(m.ReplayWindow > 0, "replay-window")
			d.add(m.OnDemand, "on-demand")
			d.add(len(m.DataPath.Own) > 0, "own-policy")
			d.add(len(m.AccessList) > 0, "access-lists")
			d.add(m.DataPath.TFC != (policy.TFC{}), "tfc")
			d.add(m.DataPath.Resync != (policy.Resync{}), "esn-resync")
		}
		d.add(m.Address.Addr().Is6() || m.OtherAddress.IsValid(), "ipv6")
	}
	return d
}

// demands gathers features, each once. What is not in the vocabulary is a value that a spec made up, and asks for nothing.
type demands []string

func (d *demands) add(asked bool, feature string) {
	if asked && inVocabulary[feature] && !slices.Contains(*d, feature) {
		*d = append(*d, feature)
	}
}

// byTable adds the feature that a table has for a value; a value that it does not know asks for nothing.
func byTable[T comparable](d *demands, table map[T]string, value T) {
	name, ok := table[value]
	d.add(ok, name)
}

func (d *demands) group(g policy.Group) {
	d.add(g.Activation.ATD != nil || g.Activation.DTD != nil, "gap")
	d.add(len(g.SAs) > 1, "several-sas")
	d.add(g.OID != (policy.OIDName{}), "group-oid")
	d.add(g.SIDRange != (policy.SIDRange{}), "sid-range")
	d.add(g.ZeroAttributes, "compat:zero-attributes")
	for _, sa := range g.SAs {
		if sa.Transform.Protocol == policy.ProtocolIEC61850 {
			d.add(true, "iec61850")
			continue
		}
		d.add(sa.AntiReplay.Time() > 0, "tbar")
		for _, flow := range sa.Flows() {
			d.add(flow.Source.Addr().Is6(), "ipv6")
		}
		d.transform(sa.Transform)
		d.add(len(sa.AccessList) > 0, "access-lists")
		if sa.Transform.CounterMode() {
			byTable(d, sidBits, g.SIDBits)
		}
	}
}

// rekey asks for what protects rekey messages. Without them nothing of it matters.
func (d *demands) rekey(r policy.RekeyPolicy, signingKey []byte) {
	byTable(d, transports, r.Transport)
	if r.Transport == policy.TransportNone {
		return
	}
	d.add(r.Ack != policy.AckNone, "ack")
	d.add(r.Management == policy.ManagementLKH, "lkh")
	switch {
	case r.KEK.Cipher == policy.KEK3DES:
		d.add(true, "kek:3des")
	case r.KEK.KeyBits == 0:
		d.add(true, "kek:aes-128")
	default:
		d.add(true, fmt.Sprintf("kek:aes-%d", r.KEK.KeyBits))
	}
	algorithm, hash := signature(signingKey), r.SigHash
	if hash == 0 {
		hash = algorithm.Hash()
	}
	byTable(d, signatures, algorithm)
	byTable(d, sigHashes, hash)
	d.add(r.SigForm == policy.SigBareHash, "sig:bare-hash")
}

// phase1 asks for every proposal, since the device is configured with all of them.
func (d *demands) phase1(p policy.Phase1) {
	d.add(p.Mode != policy.MainMode, "aggressive")
	d.add(p.DPD > 0, "dpd")
	d.add(p.AnySituation, "compat:any-situation")
	d.add(p.TransformsFromZero, "compat:transforms-from-zero")
	named := p.Identity.Kind != policy.IdentityNone || len(p.Peers) > 0
	for _, k := range p.PSKs {
		named = named || k.Identity.Kind != policy.IdentityNone
	}
	d.add(named, "identities")
	proposals := p.Proposals
	if len(proposals) == 0 {
		proposals = []policy.Proposal{policy.DefaultProposal}
	}
	d.add(p.NATTraversal, "nat-traversal")
	for _, o := range proposals {
		d.proposal(o)
	}
}

func (d *demands) proposal(o policy.Proposal) {
	if o.Encryption == policy.Phase1AES {
		d.add(true, fmt.Sprintf("phase1:aes-%d", o.KeyBits))
	} else {
		d.add(true, "phase1:3des")
	}
	d.add(true, "phase1:"+o.Hash.String())
	d.add(true, "phase1:"+o.Group.String())
	d.add(o.Authentication.Signs(), "phase1:"+o.Authentication.String())
}

// algorithms are those of signing keys that have been seen: there are few, and to read one takes long.
var algorithms sync.Map

// signature is the algorithm that a signing key signs with, 0 if there is none.
func signature(der []byte) policy.SigAlgorithm {
	if known, ok := algorithms.Load(string(der)); ok {
		return known.(policy.SigAlgorithm)
	}
	var algorithm policy.SigAlgorithm
	if key, err := policy.ParseSigningKey(der); err == nil {
		algorithm, _, _ = policy.SignatureOf(key.Public())
	}
	algorithms.Store(string(der), algorithm)
	return algorithm
}

func (d *demands) transform(t policy.Transform) {
	d.add(t.Protocol == policy.ProtocolAH, "ah")
	byTable(d, ciphers, t.Cipher)
	byTable(d, integrities, t.Integrity)
	byTable(d, modes, t.Mode)
	d.add(t.Mode.UDP(), "udp-encapsulation")
	if t.Cipher != policy.Cipher3DES && t.Cipher != policy.CipherNULL {
		d.add(t.KeyBits > 0, fmt.Sprintf("esp:key-%d", t.KeyBits))
	}
	d.add(t.ESN, "esn")
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

var signatures = map[policy.SigAlgorithm]string{
	policy.SigRSA: "sig:rsa", policy.SigECDSA256: "sig:ecdsa-256", policy.SigECDSA384: "sig:ecdsa-384", policy.SigECDSA521: "sig:ecdsa-521",
}

// sigHashes has 0, which stands for SHA-256.
var sigHashes = map[policy.SigHash]string{
	0: "sig:sha256", policy.SigHashSHA1: "sig:sha1", policy.SigHashSHA256: "sig:sha256", policy.SigHashSHA384: "sig:sha384",
	policy.SigHashSHA512: "sig:sha512",
}

var modes = map[policy.Mode]string{policy.ModeTunnel: "tunnel-mode", policy.ModeTransport: "transport-mode",
	policy.ModeUDPTunnel: "tunnel-mode", policy.ModeUDPTransport: "transport-mode"}
