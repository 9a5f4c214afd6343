package policy

import (
	"cmp"
	"math"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Limits of what messages can carry.
const (
	maxLifetime   = math.MaxUint32 // seconds in four octets (RFC 6407 §5.3.4, RFC 2407 §4.5)
	maxActivation = math.MaxUint16 // seconds in two octets (RFC 6407 §5.4.1)
)

// Lifetimes that a configuration leaves out; see RekeyPolicy and SAPolicy.
const (
	defaultKEK = 24 * time.Hour
	defaultTEK = time.Hour
)

const defaultSIDBits = 8

// The names of values in configuration files, in the order in which problems list them.
var (
	transports = yamldoc.Names[Transport]{{"unicast", TransportUnicast}, {"multicast", TransportMulticast}, {"none", TransportNone}}
	ackTypes   = yamldoc.Names[AckType]{{"none", AckNone}, {"kek-sha256", AckKEKSHA256}, {"kek-sha512", AckKEKSHA512},
		{"lkh-sha256", AckLKHSHA256}, {"lkh-sha512", AckLKHSHA512}}
	managements   = yamldoc.Names[Management]{{"none", ManagementNone}, {"lkh", ManagementLKH}}
	kekTransforms = kekNames()
	sigHashes     = yamldoc.Names[SigHash]{{"sha256", SigHashSHA256}, {"sha384", SigHashSHA384}, {"sha512", SigHashSHA512},
		{"sha1", SigHashSHA1}}
	sigForms = yamldoc.Names[SigForm]{{"digest-info", SigDigestInfo}, {"bare-hash", SigBareHash}}
	modes    = yamldoc.Names[Mode]{{"tunnel", ModeTunnel}, {"transport", ModeTransport}, {"udp-tunnel", ModeUDPTunnel},
		{"udp-transport", ModeUDPTransport}}
	preservations = yamldoc.Names[Preservation]{{"both", PreserveBoth}, {"source", PreserveSource},
		{"destination", PreserveDestination}, {"none", PreserveNone}, {"absent", PreserveAbsent}}
	directions = yamldoc.Names[Direction]{{"absent", DirectionAbsent}, {"symmetric", DirectionSymmetric},
		{"sender-only", DirectionSenderOnly}, {"receiver-only", DirectionReceiverOnly}}
	transforms = transformNames()
)

// transformNames names each combination of algorithms.
func transformNames() (names yamldoc.Names[Transform]) {
	for _, t := range append(Transforms(), AHTransforms()...) {
		names = append(names, struct {
			Name  string
			Value Transform
		}{t.Name(), t})
	}
	return names
}

// kekNames names each cipher of a KEK with each length of its key.
func kekNames() (names yamldoc.Names[KEKTransform]) {
	for _, c := range kekForms {
		for _, bits := range c.KeyBits {
			name := c.name
			if !c.Fixed() {
				name = sized(name, bits)
			}
			names = append(names, struct {
				Name  string
				Value KEKTransform
			}{name, KEKTransform{c.Cipher, bits}})
		}
	}
	return names
}

func groupList(v yamldoc.Value) []place[Group] {
	ids := make(map[uint32]string)
	return yamldoc.Some("group", placed(func(item yamldoc.Value) Group { return group(item, ids) }))(v)
}

func group(v yamldoc.Value, ids map[uint32]string) Group {
	g := Group{Rekey: RekeyPolicy{Transport: TransportNone}}
	var sas []place[SAPolicy]
	var share place[SIDRange]
	ok := v.Fields(append(groupModeFields(&g),
		yamldoc.Required("name", &g.Name, nodeName),
		yamldoc.Required("id", &g.ID, func(v yamldoc.Value) uint32 {
			id := groupID(v)
			once(v, ids, id)
			return id
		}),
		yamldoc.Optional("oid", &g.OID, oidName),
		yamldoc.Field{Name: "members", Read: func(v yamldoc.Value) { g.Members, g.Identities = groupMembers(v) }},
		yamldoc.Optional("sid_bits", &g.SIDBits, sidBits),
		yamldoc.Optional("sid_range", &share, placed(sidRange)),
		yamldoc.Optional("rekey", &g.Rekey, rekeyPolicy),
		yamldoc.Optional("activation", &g.Activation, activation),
		yamldoc.Optional("zero_attributes", &g.ZeroAttributes, yamldoc.Value.Bool),
		yamldoc.Optional("deny_protocol", &g.DenyProtocol, denyProtocol),
		yamldoc.Required("sas", &sas, saPolicies),
	)...)
	for _, sa := range sas {
		g.SAs = append(g.SAs, sa.value)
		if lifetime := orElse(sa.value.Lifetime, defaultTEK); g.Rekey.Margin >= lifetime {
			sa.at.Problem("the lifetime %s is not longer than the margin %s of the rekey",
				yamldoc.Duration(lifetime), yamldoc.Duration(g.Rekey.Margin))
		}
	}
	if g.SIDRange = share.value; v.Has("sid_range") && !g.SIDRange.In(cmp.Or(g.SIDBits, defaultSIDBits)) {
		share.at.Problem("no Sender-IDs of %d bits from %d to %d; write a first one and a higher last one", cmp.Or(g.SIDBits, defaultSIDBits),
			g.SIDRange.First, g.SIDRange.Last)
	}
	if ok && v.Has("sas") && len(sas) == 0 && g.Rekey.Transport == TransportNone {
		v.Problem("neither SAs nor a rekey; a group hands out one or the other")
	}
	return g
}

func sidRange(v yamldoc.Value) SIDRange {
	var r SIDRange
	sid := func(v yamldoc.Value) uint32 { return uint32(v.Uint(0, math.MaxUint16)) }
	v.Fields(yamldoc.Required("first", &r.First, sid), yamldoc.Required("last", &r.Last, sid))
	return r
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func rekeyPolicy(v yamldoc.Value) RekeyPolicy {
	var r RekeyPolicy
	ok := v.Fields(
		yamldoc.Required("transport", &r.Transport, transports.Read),
		yamldoc.Optional("address", &r.Address, multicastPort),
		yamldoc.Optional("kek_lifetime", &r.KEKLifetime, seconds(1, maxLifetime)),
		yamldoc.Optional("margin", &r.Margin, between(time.Millisecond, maxLifetime*time.Second)),
		yamldoc.Optional("retransmit", &r.Retransmit, within(0, 100)),
		yamldoc.Optional("interval", &r.Interval, between(time.Millisecond, maxDelay)),
		yamldoc.Optional("ack", &r.Ack, ackTypes.Read),
		yamldoc.Optional("cipher", &r.KEK, kekTransforms.Read),
		yamldoc.Optional("sig_hash", &r.SigHash, sigHashes.Read),
		yamldoc.Optional("signature_form", &r.SigForm, sigForms.Read),
		yamldoc.Optional("management", &r.Management, managements.Read),
		yamldoc.Optional("updates", &r.Updates, within(1, MostUpdates)),
		yamldoc.Optional("pseudotime_sync", &r.Sync, seconds(1, maxLifetime)),
		yamldoc.Optional("backward_access_control", &r.Backward, yamldoc.Value.Bool),
		yamldoc.Optional("kek", &r.KEKBehaviour, kekBehaviours.Read),
		yamldoc.Optional("reminders", &r.Reminders, yamldoc.Value.Bool),
	)
	if ok {
		checkReminders(v, r)
		checkTransport(v, r)
		checkManagement(v, r)
	}
	return r
}

func checkTransport(v yamldoc.Value, r RekeyPolicy) {
	switch addressed := v.Has("address"); {
	case r.Transport == TransportMulticast && !addressed:
		v.Problem("the field \"address\" is missing; a multicast rekey needs a group address")
	case addressed && (r.Transport == TransportUnicast || r.Transport == TransportNone):
		v.Problem("the field \"address\" is for transport multicast, not %s", r.Transport)
	}
	if r.Transport == TransportNone && r.Ack != AckNone {
		v.Problem("nothing is acknowledged with transport none; leave out the field \"ack\"")
	}
	for _, field := range []string{"cipher", "sig_hash", "signature_form"} {
		if r.Transport == TransportNone && v.Has(field) {
			v.Problem("with transport none there is no KEK and nothing is signed; leave out the field %q", field)
		}
	}
	if lifetime := orElse(r.KEKLifetime, defaultKEK); r.Margin >= lifetime {
		v.Problem("the margin %s is not shorter than the kek_lifetime %s", yamldoc.Duration(r.Margin), yamldoc.Duration(lifetime))
	}
}

// checkManagement refuses what a hierarchy of keys cannot do. Its keys are encrypted together with their IVs, and for padding
// there is no room (RFC 6407 §5.6.3.1).
func checkManagement(v yamldoc.Value, r RekeyPolicy) {
	lkh := r.Management == ManagementLKH
	if lkh && r.Transport == TransportNone {
		v.Problem("there is no KEK to manage with transport none; leave out the field \"management\"")
	}
	if lkh && r.KEK.Cipher == KEKAES && r.KEK.KeyBits == 192 {
		v.Problem("an IV and a key of aes192-cbc are no whole blocks, which management lkh needs")
	}
	if r.Updates > 0 && !lkh {
		v.Problem("only management lkh has updates; leave out the field \"updates\"")
	}
	if r.Backward && r.Transport == TransportNone {
		v.Problem("with transport none nobody can be told of new keys when a member joins; leave out the field \"backward_access_control\"")
	}
	if r.Ack.LKH() && !lkh {
		v.Problem("acknowledgements keyed by LKH need management lkh")
	}
}

func activation(v yamldoc.Value) Activation {
	var a Activation
	delay := func(v yamldoc.Value) *time.Duration {
		d := v.Seconds(0, maxActivation)
		return &d
	}
	v.Fields(yamldoc.Optional("atd", &a.ATD, delay), yamldoc.Optional("dtd", &a.DTD, delay))
	return a
}

func saPolicies(v yamldoc.Value) []place[SAPolicy] {
	selectors := make(map[Selector]string)
	return yamldoc.List(placed(func(item yamldoc.Value) SAPolicy {
		s := saPolicy(item)
		for _, flow := range append([]Selector{s.Selector}, s.Also...) {
			once(item, selectors, flow)
		}
		return s
	}))(v)
}

func saPolicy(v yamldoc.Value) SAPolicy {
	if v.Has("iec61850") {
		return iecPolicy(v)
	}
	var s SAPolicy
	s.Transform = Transform{Mode: ModeTunnel}
	var kind Transform
	fields := append(flowFields(v, &s),
		yamldoc.Required("transform", &kind, transforms.Read),
		yamldoc.Optional("esn", &s.Transform.ESN, yamldoc.Value.Bool),
		yamldoc.Optional("mode", &s.Transform.Mode, modes.Read),
		yamldoc.Optional("preservation", &s.Transform.Preservation, preservations.Read),
		yamldoc.Optional("direction", &s.Transform.Direction, directions.Read),
		yamldoc.Optional("lifetime", &s.Lifetime, seconds(1, maxLifetime)),
		yamldoc.Optional("anti_replay", &s.AntiReplay, antiReplay),
		yamldoc.Optional("tag", &s.Tag, tagMethods.Read),
	)
	if !v.Fields(fields...) {
		return s
	}
	checkSelector(v, s.Selector)
	checkReplay(v, s)
	s.Transform.Protocol, s.Transform.Cipher = kind.Protocol, kind.Cipher
	s.Transform.KeyBits, s.Transform.Integrity = kind.KeyBits, kind.Integrity
	switch {
	case s.Transform.Mode.UDP() && s.Transform.Protocol != ProtocolESP:
		v.Problem("the modes udp-tunnel and udp-transport are for ESP; there is no AH in UDP")
	case s.Transform.Mode.Transports() && s.Transform.Preservation != PreserveAbsent:
		v.Problem("preservation is for mode tunnel; transport mode keeps the IP header")
	case !s.Transform.Mode.Transports() && !v.Has("preservation"):
		s.Transform.Preservation = PreserveBoth
	}
	return s
}
