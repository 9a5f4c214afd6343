package member_test

import (
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// iec is an SA of IEC 61850 with an activation delay of its own.
func iec(spi uint32) policy.TrafficSA {
	return policy.TrafficSA{SPI: spi, Lifetime: time.Hour, Selector: policy.Selector{Traffic: policy.OIDName{OID: "1.2.3"}},
		Transform: policy.Transform{Protocol: policy.ProtocolIEC61850, Authentication: policy.IECAuthHMACSHA256,
			Encryption: policy.IECEncryptNone},
		IntegrityKey: make([]byte, 32), Handling: policy.IECHandling{ATD: new(2 * time.Second)}}
}

// scenario is a conversation in which some mutants can be told from the member as it should be, by what a key server and
// an operator see. Kills names their guards, or what the names begin with, without "member.".
type scenario struct {
	kills string
	cfg   func(cfg *policy.Member)
	setup func(l *lab)
	run   func(l *lab)
}

// roomForOne is a member of GET VPN with room for one SA.
func roomForOne(cfg *policy.Member) { cfg.Profile, cfg.IPsecFlows = policy.ProfileGETVPN, 1 }

var scenarios = map[string]scenario{
	"registration": {kills: "pull1. pull3.hash pull.hash_ multicast.join"},
	"two groups": {kills: "group.cookies multicast.stay", cfg: inTwo, setup: twoPolicies, run: func(l *lab) {
		l.push(l.second.makePush(pushSpec{seq: 1, sas: l.second.sas}))
		l.ks.deaf = true
		l.push(l.ks.makePush(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(0, make([]byte, 16))}}))
	}},
	"other pre-shared keys": {kills: "change.psk", run: func(l *lab) {
		cfg := config()
		cfg.Phase1.PSKs = []policy.PSK{{Peer: cfg.Phase1.PSKs[0].Peer, Key: []byte("another")}}
		l.configure(cfg)
		l.say("the member has", l.spis())
	}},
	"registration, many Sender-IDs": {kills: "pull3.sid_request",
		cfg: func(cfg *policy.Member) { cfg.SIDRequest = 4 },
	},
	"a message of Phase 1 that is over": {kills: "phase1.over", run: func(l *lab) {
		i, r := l.ks.sa.Cookies()
		late := isakmp.Header{InitiatorCookie: i, ResponderCookie: r, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode,
			Length: isakmp.HeaderLen}
		l.push(late.Append(nil))
	}},
	"no rekey in profile getvpn": {kills: "getvpn.re_register", cfg: ofVendor, setup: living(time.Hour, 10*time.Minute),
		run: func(l *lab) { l.run(11 * time.Minute) }},
	"no KEK in profile getvpn": {kills: "getvpn.kek_window getvpn.kek_spread getvpn.kek_same getvpn.kek_after", cfg: ofVendor,
		setup: living(10*time.Minute, time.Hour), run: oldKeyServer},
	"no KEK for a member of the old behaviour": {kills: "getvpn.kek_kept", setup: living(10*time.Minute, time.Hour), run: func(l *lab) { l.run(20 * time.Minute) },
		cfg: func(cfg *policy.Member) { ofVendor(cfg); cfg.Rekey.KEKBehaviour = policy.KEKOld }},
	"a key for 45 s":  {kills: "track.delay", cfg: tracks(time.Minute), run: func(l *lab) { l.run(45 * time.Second) }},
	"a key for 75 s":  {kills: "track.delay track.up", cfg: tracks(time.Minute), run: func(l *lab) { l.run(75 * time.Second) }},
	"a key that goes": {kills: "track.down", cfg: tracks(0), run: func(l *lab) { l.ks.deaf = true; l.command(control.Clear) }},
	"range of flows": {kills: "policy.range", cfg: func(cfg *policy.Member) {
		cfg.Authorised = []policy.Flow{{Source: policy.RangeOf(prefix("10.0.0.0/8")),
			Destination: policy.AddressRange{First: prefix("10.0.0.0/8").Addr(), Last: prefix("10.200.0.0/16").Addr()}}}
	}},
	"access list": {kills: "access.", cfg: withList, run: throughLists},
	"12 hours at 100,000 packets/s": {kills: "advice.", cfg: func(cfg *policy.Member) { cfg.Profile, cfg.PacketRate = policy.ProfileGETVPN, 100000 },
		setup: living(24*time.Hour, 12*time.Hour)},
	"taken out of its group":            {kills: "detach.", cfg: ofVendor, run: func(l *lab) { l.command(control.Detach); throughLists(l) }},
	"an SA more than there is room for": {kills: "policy.flows", cfg: roomForOne, setup: func(l *lab) { l.ks.sas = append(l.ks.sas, l.ks.sas[0]) }},
	"an SA, and room for one":           {kills: "policy.flows", cfg: roomForOne},
	"on demand": {kills: "register.demand", cfg: func(cfg *policy.Member) { cfg.OnDemand = true },
		run: func(l *lab) { l.event(&core.Packet{From: core.Inside, Data: clearPacket()}) }},
	"foreign identity": {kills: "gpad.", setup: func(l *lab) { l.ks.identity = addrPort("192.0.2.11:848") }},
	"wrong HASH(2)":    {kills: "pull2.hash", setup: tapped(core.Authenticated, core.Pull2, flipHash)},
	"wrong HASH(4)":    {kills: "pull4.hash", setup: tapped(core.Authenticated, core.Pull4, flipHash)},
	"form of message 2": {kills: "pull2.form", setup: tapped(core.Built, core.Pull2, func(o *core.Outgoing) {
		o.Payloads = append(o.Payloads, isakmp.VID{})
	})},
	"form of message 4": {kills: "pull4.form", setup: tapped(core.Built, core.Pull4, func(o *core.Outgoing) {
		o.Payloads = append(o.Payloads, isakmp.VID{})
	})},
	"nonce of 6":   {kills: "pull2.nonce_min", setup: tapped(core.Built, core.Pull2, nonceOf(6))},
	"nonce of 7":   {kills: "pull2.nonce_min", setup: tapped(core.Built, core.Pull2, nonceOf(7))},
	"nonce of 8":   {kills: "pull2.nonce_min", setup: tapped(core.Built, core.Pull2, nonceOf(8))},
	"nonce of 128": {kills: "pull2.nonce_max", setup: tapped(core.Built, core.Pull2, nonceOf(128))},
	"nonce of 129": {kills: "pull2.nonce_max", setup: tapped(core.Built, core.Pull2, nonceOf(129))},
	"nonce of 130": {kills: "pull2.nonce_max", setup: tapped(core.Built, core.Pull2, nonceOf(130))},
	"unacceptable policy": {kills: "policy.delete", setup: tapped(core.Built, core.Pull2, func(o *core.Outgoing) {
		sak := o.Payloads[1].(gdoi.SA).Attributes[0].(gdoi.SAK)
		sak.Attributes[0].Type = 77
	})},
	"policy with two modes": {kills: "policy.conflict", setup: tapped(core.Built, core.Pull2, func(o *core.Outgoing) {
		for _, p := range o.Payloads[1].(gdoi.SA).Attributes {
			if sat, ok := p.(gdoi.SAT); ok {
				sat.ESP.Attributes = append(sat.ESP.Attributes, wire.TV(gdoi.EncapsulationMode, 1), wire.TV(gdoi.EncapsulationMode, 2))
			}
		}
	})},
	"extended sequence numbers without a window": {kills: "policy.esn", setup: tapped(core.Built, core.Pull2, func(o *core.Outgoing) {
		for _, p := range o.Payloads[1].(gdoi.SA).Attributes {
			if sat, ok := p.(gdoi.SAT); ok {
				sat.ESP.Attributes = append(sat.ESP.Attributes, wire.TV(gdoi.ExtendedSequenceNumber, 1))
			}
		}
	})},
	"unauthorised flow": {kills: "policy.authorised", cfg: func(cfg *policy.Member) {
		cfg.Authorised = policy.Flows(policy.Selector{Source: prefix("10.1.0.0/16"), Destination: prefix("10.1.0.0/16")})
	}},
	"lost messages": {kills: "pull.retries pull.back_off",
		setup: func(l *lab) { l.drop = func(k core.Kind) bool { return k == core.Pull1 } },
		run:   func(l *lab) { l.run(time.Minute) },
	},
	"number given": {kills: "pull4.given push.seq",
		setup: func(l *lab) { l.ks.given = 10 },
		run:   pushes(pushSpec{seq: 9}, pushSpec{seq: 10}, pushSpec{seq: 12}),
	},
	"number of an older registration": {kills: "pull4.stale", run: func(l *lab) {
		pushes(pushSpec{seq: 6})(l)
		l.ks.given = 5
		l.command("register")
		pushes(pushSpec{seq: 6, sas: []policy.TrafficSA{gcm(0x2001)}})(l)
	}},
	"numbers": {kills: "push.seq", run: pushes(pushSpec{seq: 1}, pushSpec{seq: 2}, pushSpec{seq: 1}, pushSpec{seq: 2, deletes: deleteAll()})},
	"new KEK with another public key": {kills: "kek.signer", run: func(l *lab) {
		next, other := kek(2), pki.RSA("phase1-ks")
		next.PublicKey, _ = keymat.MarshalPublicKey(other.Public())
		l.push(l.ks.makePush(pushSpec{seq: 7, rekey: next}))
		l.ks.signer = other
		l.push(l.ks.makePush(pushSpec{under: next, seq: 1}))
	}},
	"another management of keys": {kills: "push.management", run: pushes(pushSpec{seq: 7, rekey: kek(2), payloads: func(ps []isakmp.Payload) []isakmp.Payload {
		sa := ps[1].(gdoi.SA)
		sak := sa.Attributes[0].(gdoi.SAK)
		sak.Attributes = append(sak.Attributes, wire.TV(gdoi.KEKManagement, 2))
		sa.Attributes[0] = sak
		return ps
	}})},
	"new KEK":              {kills: "kek.sequence push.replace", run: pushes(pushSpec{seq: 7, rekey: kek(2)}, pushSpec{under: kek(2), seq: 1}, pushSpec{seq: 8})},
	"SIG":                  {kills: "push.sig", run: pushes(pushSpec{seq: 1, sig: func(b []byte) { b[7]++ }})},
	"SIG, bare hash":       {kills: "push.rsa", setup: func(l *lab) { l.ks.scheme.Bare = true }, run: pushes(pushSpec{seq: 1})},
	"SIG in DER, P-256":    {kills: "push.ecdsa256", setup: signsWith(elliptic.P256()), run: pushes(pushSpec{seq: 1, der: 71})},
	"SIG in DER, P-384":    {kills: "push.ecdsa384", setup: signsWith(elliptic.P384()), run: pushes(pushSpec{seq: 1, der: 103})},
	"SIG in DER, P-521":    {kills: "push.ecdsa521", setup: signsWith(elliptic.P521()), run: pushes(pushSpec{seq: 1, der: 138})},
	"SHA-1":                {kills: "policy.sha1", setup: func(l *lab) { l.ks.rekey.SigHash = policy.SigHashSHA1 }},
	"KEK cipher not taken": {kills: "getvpn.client-cipher", cfg: limitedTo(policy.Client{Ciphers: []policy.KEKTransform{{Cipher: policy.KEK3DES, KeyBits: 192}}})},
	"hash not taken":       {kills: "getvpn.client-hash", cfg: limitedTo(policy.Client{Hashes: []policy.SigHash{policy.SigHashSHA512}})},
	"transform not taken": {kills: "getvpn.client-transform",
		cfg: limitedTo(policy.Client{Transforms: []policy.Transform{{Cipher: policy.CipherAESGCM16, KeyBits: 256}}})},
	"SIG, SEQ":                    {kills: "push.order", run: pushes(pushSpec{seq: 0, sig: func(b []byte) { b[7]++ }})},
	"copy":                        {kills: "push.duplicate", run: func(l *lab) { p := l.ks.makePush(pushSpec{seq: 1}); l.push(p, p) }},
	"new SA":                      {kills: "push.create", run: pushes(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}})},
	"delete":                      {kills: "push.delete_all", run: pushes(pushSpec{seq: 1, deletes: deleteAll()})},
	"VID behind SIG":              {kills: "push.form", run: pushes(pushSpec{seq: 1, after: []isakmp.Payload{isakmp.VID{}}})},
	"padding":                     {kills: "push.padding", run: pushes(pushSpec{seq: 1, padding: 2})},
	"cookies":                     {kills: "push.cookies", run: pushes(pushSpec{seq: 1, header: func(h *isakmp.Header) { h.InitiatorCookie[0]++ }})},
	"version":                     {kills: "push.version", run: pushes(pushSpec{seq: 1, header: func(h *isakmp.Header) { h.Version++ }})},
	"exchange":                    {kills: "push.exchange", run: pushes(pushSpec{seq: 1, header: func(h *isakmp.Header) { h.Exchange++ }})},
	"flags":                       {kills: "push.flags", run: pushes(pushSpec{seq: 1, header: func(h *isakmp.Header) { h.Flags |= 4 }})},
	"Message ID":                  {kills: "push.message_id", run: pushes(pushSpec{seq: 1, header: func(h *isakmp.Header) { h.MessageID++ }})},
	"length":                      {kills: "push.length", run: pushes(pushSpec{seq: 1, sent: func(b []byte) { b[27]++ }})},
	"group by its OID":            {kills: "pull1.oid", cfg: func(cfg *policy.Member) { cfg.GroupOID = policy.OIDName{OID: "1.2.3"} }},
	"pseudotime":                  {kills: "pull4.pseudotime", cfg: vendor, setup: func(l *lab) { l.ks.sas = stampedSAs(60000) }},
	"IEC 61850 without an outlet": {kills: "policy.iec61850", setup: func(l *lab) { l.ks.sas = append(l.ks.sas, iec(0x3001)) }},
	"SA_ATD": {kills: "iec61850.atd",
		cfg:   func(cfg *policy.Member) { cfg.IEC61850 = true },
		setup: func(l *lab) { l.ks.sas = append(l.ks.sas, iec(0x3001)) },
		run: func(l *lab) {
			pushes(pushSpec{seq: 1, sas: []policy.TrafficSA{iec(0x3002)}, act: policy.Activation{ATD: new(time.Hour)}})(l)
			l.run(5 * time.Second)
		},
	},
	"SIDs": {kills: "push.sids", run: pushes(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)},
		sids: &policy.SIDs{Bits: 8, Values: []uint32{9}}})},
	"delete of another DOI": {kills: "push.delete", run: pushes(pushSpec{seq: 1, deletes: []isakmp.Delete{
		{DOI: 1, Protocol: 1, SPISize: 4, SPIs: [][]byte{spi4(0x1001)}}}})},
	"reserved": {kills: "push.reserved", run: pushes(pushSpec{seq: 1, payloads: func(ps []isakmp.Payload) []isakmp.Payload {
		return []isakmp.Payload{isakmp.Framed{Payload: ps[0], Reserved: 1}}
	}})},
	"no Sender-ID": {kills: "push.no_sid",
		setup: func(l *lab) { l.ks.sas, l.ks.sids = []policy.TrafficSA{cbc(0x1001)}, nil },
		run:   pushes(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}}),
	},
	"another stream by hand": {kills: "multicast.byhand multicast.byhand.ends multicast.byhand.source", cfg: joining(byHand), run: func(l *lab) {
		cfg := config()
		joining(byOther)(&cfg)
		l.configure(cfg)
	}},
	"KEK deleted": {kills: "push.re_register multicast.leave", run: func(l *lab) {
		l.ks.sids = &policy.SIDs{Bits: 8, Values: []uint32{6}}
		pushes(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(0, make([]byte, 16))}})(l)
	}},
	"not acknowledged": {kills: "ack.asked", run: pushes(pushSpec{seq: 1})},
	"acknowledged":     {kills: "ack.", setup: ackWanted, run: pushes(pushSpec{seq: 1})},
	"acknowledged, SHA-512": {kills: "ack.sha512",
		setup: func(l *lab) { l.ks.rekey.Ack = policy.AckKEKSHA512 }, run: pushes(pushSpec{seq: 1})},
	"acknowledged, then refused": {kills: "ack.after", setup: ackWanted,
		run: pushes(pushSpec{seq: 1}, pushSpec{seq: 2, sig: func(b []byte) { b[7]++ }})},
	"acknowledged, KEK deleted": {kills: "ack.deleted", setup: ackWanted,
		run: pushes(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(0, make([]byte, 16))}})},
	"by multicast": {kills: "getvpn.ack", cfg: func(cfg *policy.Member) { cfg.Profile = policy.ProfileGETVPN }, setup: ackWanted,
		run: func(l *lab) {
			l.event(&core.Datagram{From: ksAddress, To: netip.MustParseAddrPort("239.1.1.1:848"), Data: l.ks.makePush(pushSpec{seq: 1})})
		}},
	"acknowledged, LKH": {kills: "ack.lkh", setup: func(l *lab) { inTree(l); l.ks.rekey.Ack = policy.AckLKHSHA256 }, run: pushes(pushSpec{seq: 1})},
	"LKH, updates":      {kills: "push.update_", setup: inTree, run: followsUpdates},
	"LKH, excluded":     {kills: "push.update", setup: inTree, run: pushes(pushSpec{seq: 1, rekey: updated(2, 3, 2, middleKey)})},
	"LKH, keys of one":  {kills: "push.download", setup: inTree, run: pushes(pushSpec{seq: 1, rekey: leafed(2)})},
	"LKH, no keys":      {kills: "pull4.download", setup: func(l *lab) { l.ks.rekey.LKH = new(policy.LKH) }},
	"out of IVs": {kills: "sid.exhausted", run: func(l *lab) {
		space, _ := rule.Find("esp.seal.space")
		l.effects(l.gm.Refused(l.now, space.Violated("all IVs are used up")))
		l.event(&core.Timer{})
	}},
	"KEK just alive": {kills: "kek.lifetime",
		setup: func(l *lab) { l.ks.rekey.Lifetime = 10 * time.Minute },
		run: func(l *lab) {
			l.run(9*time.Minute + 55*time.Second)
			pushes(pushSpec{seq: 1})(l)
		},
	},
	"KEK dead": {kills: "kek.lifetime",
		setup: func(l *lab) { l.ks.rekey.Lifetime = 10 * time.Minute },
		run: func(l *lab) {
			l.ks.deaf = true
			l.now = l.now.Add(10*time.Minute + 5*time.Second)
			pushes(pushSpec{seq: 1})(l)
		},
	},
	"behind a NAT":         {kills: "natt.", cfg: withNATT, setup: behindNAT, run: func(l *lab) { l.run(19 * time.Second); l.run(2 * time.Second) }},
	"the key server moves": {kills: "natt.port natt.latest", cfg: withNATT, setup: behindNAT, run: moves},
	"ESP in UDP behind a NAT": {kills: "udp.", cfg: betweenGateways, setup: inUDPBehindNAT, run: func(l *lab) {
		l.event(l.ks.datagram(netip.AddrPortFrom(ksAddress.Addr(), natt.Port), l.ks.makePush(pushSpec{seq: 1})))
	}},
	"keepalives for an answer": {kills: "natt.evidence", cfg: withNATT,
		setup: func(l *lab) {
			behindNAT(l)
			l.ks.tap = alterAt(core.Sealed, core.Pull2, func(o *core.Outgoing) { o.Withhold = true })
		},
		run: func(l *lab) {
			for range 40 {
				l.run(time.Second)
				l.event(keepalive())
			}
		},
	},
	"message 4 to a stranger": {kills: "cookies",
		setup: func(l *lab) { l.ks.hold = true },
		run: func(l *lab) {
			if len(l.ks.held) > 0 {
				l.ks.held[15]++
				l.push(l.ks.held)
			}
		},
	},
}

// tracks has the member track whether it has a key, which has to be there for so long.
func tracks(delay time.Duration) func(cfg *policy.Member) {
	return func(cfg *policy.Member) { ofVendor(cfg); cfg.Track = &policy.Track{Number: 99, DelayUp: delay} }
}

func tapped(stage core.Stage, kind core.Kind, change func(o *core.Outgoing)) func(l *lab) {
	return func(l *lab) { l.ks.tap = alterAt(stage, kind, change) }
}

func flipHash(o *core.Outgoing) {
	h := o.Payloads[0].(isakmp.Hash)
	o.Payloads[0] = isakmp.Hash{Data: append([]byte{h.Data[0] ^ 1}, h.Data[1:]...)}
}

func nonceOf(n int) func(o *core.Outgoing) {
	return func(o *core.Outgoing) { o.Payloads[0] = isakmp.Nonce{Data: make([]byte, n)} }
}

func signsWith(curve elliptic.Curve) func(l *lab) { return func(l *lab) { l.ks.signsWith(curve) } }

// limitedTo is a member of profile getvpn that takes nothing else.
func limitedTo(c policy.Client) func(*policy.Member) {
	return func(cfg *policy.Member) { cfg.Profile, cfg.Client = policy.ProfileGETVPN, c }
}

func ackWanted(l *lab) { l.ks.rekey.Ack = policy.AckKEKSHA256 }

func pushes(specs ...pushSpec) func(l *lab) {
	return func(l *lab) {
		for _, s := range specs {
			l.push(l.ks.makePush(s))
		}
	}
}

// trace plays a scenario and returns all that can be seen of the member.
func (s scenario) trace(t testing.TB, rules *rule.Switches) string {
	cfg := config()
	if s.cfg != nil {
		s.cfg(&cfg)
	}
	l := newLabWith(t, cfg, rules)
	if s.setup != nil {
		s.setup(l)
	}
	l.start()
	if s.run != nil {
		s.run(l)
	}
	status := l.status()
	status.Counters = nil
	var b strings.Builder
	fmt.Fprintln(&b, strings.Join(l.talk, "\n"), l.tags(), l.joins, l.spis(), l.refusals())
	shown, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%s %x %d %v %v\n", shown, l.ks.id, len(l.ks.ni), l.ks.gap, l.ks.asked)
	for _, a := range l.ks.acks {
		fmt.Fprintf(&b, "%s %s %x\n", a.From, a.To, a.Data)
	}
	return b.String()
}

// TestMutants plays the scenarios with each guard of the member altered in each way. Somebody outside must be able to tell.
func TestMutants(t *testing.T) {
	right := make(map[string]string)
	for name, s := range scenarios {
		right[name] = s.trace(t, nil)
	}
	for _, g := range rule.All() {
		if !strings.HasPrefix(g.Name, "member.") {
			continue
		}
		for _, m := range g.Kind.Mutations() {
			t.Run(g.Name+"/"+m.String(), func(t *testing.T) {
				for name, s := range scenarios {
					if s.told(g) && s.trace(t, altered(t, g, m)) != right[name] {
						return
					}
				}
				t.Errorf("no scenario tells %s from its mutant", g)
			})
		}
	}
}

// told reports whether the scenario is made for the guard.
func (s scenario) told(g *rule.Guard) bool {
	return slices.ContainsFunc(strings.Fields(s.kills), func(name string) bool {
		return strings.HasPrefix(g.Name, "member."+name)
	})
}

func altered(t testing.TB, g *rule.Guard, m rule.Mutation) *rule.Switches {
	var rules rule.Switches
	if err := rules.Set(g.Name, m.String()); err != nil {
		t.Fatal(err)
	}
	return &rules
}
