package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Env is what the run decides for every lab: where, from which seed, what is under test and which of its guards are altered.
type Env struct {
	Fabric  Fabric
	Seed    string
	Device  *peer.Manifest // nil: peer.Default
	Mutants []peer.Mutant
	beside  Net // with whose clock the network goes; nil: with its own
	// Unsupported is called when a device is asked for what its manifest says it cannot do, with that declaration. It may
	// end the spec by not returning; otherwise the asking fails.
	Unsupported func(declaration string)
	// Opens reports whether a member opens packets under an SA that it was given. It is asked of a member that tells nothing of
	// itself; nil stands for no.
	Opens func(ctx context.Context, l *Lab, member int) bool
}

// Setup is what a spec decides. Its zero value is a key server and one member, nothing under test, with the default group.
type Setup struct {
	Device  rule.Role // whose node is under test: the key server, the first member, or (Both) every node
	Members int       // 0 means 1
	Hosts   bool      // a host behind each member
	IPv6    bool      // IPv6 addresses beside those of IPv4
	NAT     []int     // members behind a NAT, of IPv4
	// HideKeyServer has the key server behind the NAT. Members on the WAN find it at the NAT, which hands on what comes to the
	// ports of key management.
	HideKeyServer bool
	NoMulticast   []int  // members to which the WAN carries no multicast
	Aside         []int  // members that reach the key server, and multicast reaches, by a second link, whose interface is AsideName
	SecondGateway bool   // member 2 stands before the LAN of member 1 as well, for packets of IPv4; see Lab.Prefer
	Family        Family // of key management; IPv6Family asks for IPv6 too
	// Signature is that of rekeys, RSA or ECDSA-256; 0 means the one that the device's manifest names.
	Signature policy.SigAlgorithm
	Profile   policy.Profile // of the device and of the testers
	SNMP      bool           // a device answers Peer.SNMP
	// Group, KeyServer and Member alter the defaults before anything starts.
	Group     func(g *policy.Group)
	KeyServer func(c *policy.KeyServer)
	Member    func(i int, c *policy.Member)
}

// Lab is one network with its nodes.
type Lab struct {
	Net
	KS    *Peer
	GM    []*Peer // GM[0] is gm1
	Hosts []Host  // Hosts[0] is h1, behind gm1
	setup Setup
	env   Env

	foreign    []exhibit
	remembered []keylog.Entry // of nodes that are no peers
}

// Patience is how long a lab waits, in the network's own time, for something that ought to happen soon.
const Patience = 15 * time.Second

// GroupID is the identifier of the default group.
const GroupID = 1234

// New builds the network; no node runs yet.
func New(ctx context.Context, env Env, setup Setup) (*Lab, error) {
	if setup.Members == 0 {
		setup.Members = 1
	}
	if setup.SecondGateway {
		setup.Members = max(setup.Members, 2)
	}
	setup.IPv6 = setup.IPv6 || setup.Family == IPv6Family
	if env.Device == nil {
		device, err := peer.Default()
		if err != nil {
			return nil, err
		}
		env.Device = device
	}
	setup.Hosts = setup.Hosts || needsHosts(setup.Device, env.Device)
	l := &Lab{setup: setup, env: env}
	if err := l.populate(); err != nil {
		return nil, err
	}
	if err := l.supported(); err != nil {
		return nil, err
	}
	routers, err := l.routers()
	if err != nil {
		return nil, err
	}
	net, err := env.Fabric.Open(ctx, Plan{Seed: env.Seed, Members: setup.Members, Hosts: setup.Hosts, IPv6: setup.IPv6, NAT: setup.NAT,
		HideKeyServer: setup.HideKeyServer, SecondGateway: setup.SecondGateway, NoMulticast: setup.NoMulticast, Aside: setup.Aside, Beside: env.beside, Contained: l.contained(), Routers: routers})
	if err != nil {
		return nil, err
	}
	l.Net = net
	if err := l.findHosts(); err != nil {
		return nil, errors.Join(err, net.Close())
	}
	return l, nil
}

// needsHosts reports whether only traffic shows what a member under test has taken at registration or by a rekey.
func needsHosts(role rule.Role, device *peer.Manifest) bool {
	gm := device.Role(rule.GM)
	if gm == nil || role != rule.GM && role != rule.Both {
		return false
	}
	return gm.LacksEvent(registered) != "" || gm.LacksEvent("REKEY_ACCEPTED") != ""
}

// Acknowledged reports whether the key server asks for acknowledgements of its PUSH messages (RFC 8263). Profile getvpn has none of those by
// multicast, nor has a device by its declaration.
func (l *Lab) Acknowledged() bool {
	vendor := l.KS.station.KS.Profile == policy.ProfileGETVPN || l.env.Device.LacksFeature("ack-multicast") != ""
	return slices.ContainsFunc(l.KS.station.KS.Groups, func(g policy.Group) bool {
		return g.Rekey.Ack != policy.AckNone && !(vendor && g.Rekey.Transport == policy.TransportMulticast)
	})
}

// Windowed reports whether members of profile getvpn keep packets from being repeated, by numbers or by a pseudotime: then they open none
// that a tester makes beside those of the group's senders, and such a packet would take the place of one of theirs.
func (l *Lab) Windowed() bool {
	ks := l.KS.station.KS
	return ks.Profile == policy.ProfileGETVPN && slices.ContainsFunc(ks.Groups, func(g policy.Group) bool {
		return slices.ContainsFunc(g.SAs, func(sa policy.SAPolicy) bool { return sa.AntiReplay.Method != policy.ReplayNone })
	})
}

// populate makes the peers.
func (l *Lab) populate() error {
	ks, err := defaultKeyServer(l.env.Device.Usual, l.setup)
	if err != nil {
		return err
	}
	device := l.setup.Device == rule.KS || l.setup.Device == rule.Both
	if l.KS, err = newPeer(l, Station{Name: KeyServerName, KS: ks}, device); err != nil {
		return err
	}
	for i := 1; i <= l.setup.Members; i++ {
		device := l.setup.Device == rule.Both || (l.setup.Device == rule.GM && i == 1)
		gm, err := newPeer(l, Station{Name: MemberName(i), GM: defaultMember(l.env.Device.Usual, l.setup, i)}, device)
		if err != nil {
			return err
		}
		l.GM = append(l.GM, gm)
	}
	return nil
}

// contained are the nodes whose device is a container.
func (l *Lab) contained() []string {
	var names []string
	for _, p := range l.Peers() {
		if p.Device() && p.station.Device.Container() != nil {
			names = append(names, p.Name())
		}
	}
	return names
}

// supported returns an error if the policy of this network asks something of a device that its manifest does not declare.
func (l *Lab) supported() error {
	var members []policy.Member
	var device *Peer // a member
	for _, p := range l.GM {
		if p.Device() {
			device = p
		}
		if p.Device() || l.KS.Device() {
			members = append(members, *p.station.GM)
		}
	}
	ks, gm := l.env.Device.Part(rule.KS), l.env.Device.Part(rule.GM)
	if l.KS.Device() {
		if err := l.KS.declares(ks, peer.Demands(*l.KS.station.KS, members, true)); err != nil || ks == gm {
			return err
		}
	}
	if device == nil {
		return nil
	}
	return device.declares(gm, peer.Demands(*l.KS.station.KS, members, false))
}

// declares returns an error if the device does not declare all of the features.
func (p *Peer) declares(m *peer.Manifest, features []string) error {
	for _, feature := range features {
		if err := p.unsupported(m.LacksFeature(feature)); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
	}
	return nil
}

func (l *Lab) findHosts() error {
	for i := 1; l.setup.Hosts && i <= l.setup.Members; i++ {
		h, err := l.Host(HostName(i))
		if err != nil {
			return err
		}
		l.Hosts = append(l.Hosts, h)
	}
	return nil
}

// Up starts the key server and every member, and waits until all are registered.
func (l *Lab) Up(ctx context.Context) error {
	if err := l.KS.Start(ctx); err != nil {
		return err
	}
	for _, gm := range l.GM {
		if err := gm.Start(ctx); err != nil {
			return err
		}
	}
	for _, gm := range l.GM {
		if err := gm.AwaitRegistered(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Pass lets so much of the network's time go by.
func (l *Lab) Pass(ctx context.Context, d time.Duration) {
	l.Wait(ctx, d, func() bool { return false })
}

// Keys returns everybody's key log, the testers' first. A device that keeps none adds nothing.
func (l *Lab) Keys() []keylog.Entry {
	testers, devices := slices.Clone(l.remembered), []keylog.Entry(nil)
	for _, p := range l.Peers() {
		if p.Device() {
			devices = append(devices, p.keys()...)
		} else {
			testers = append(testers, p.keys()...)
		}
	}
	return append(testers, devices...)
}

// Peers returns the key server and the members.
func (l *Lab) Peers() []*Peer { return append([]*Peer{l.KS}, l.GM...) }

// Messages decodes what crossed the WAN so far.
func (l *Lab) Messages() []capture.Message {
	var wan []capture.Frame
	for _, f := range l.Frames() {
		if f.Link == "wan" {
			wan = append(wan, f)
		}
	}
	return capture.Decode(wan, l.Keys())
}

// DefaultGroup is the group that specs start from: unicast rekey, one AES-GCM SA over 10.0.0.0/8.
func DefaultGroup() policy.Group {
	return policy.Group{
		Name: "lab", ID: GroupID, Members: []netip.Prefix{WAN, netip.MustParsePrefix("198.18.0.0/15")},
		Rekey: policy.RekeyPolicy{Transport: policy.TransportUnicast, KEKLifetime: 24 * time.Hour},
		SAs: []policy.SAPolicy{{
			Selector:  policy.Selector{Source: Protected, Destination: Protected},
			Transform: GCM(), Lifetime: time.Hour,
		}},
		SIDBits: 8,
	}
}

// GCM is ESP with AES-128-GCM in tunnel mode, both addresses preserved.
func GCM() policy.Transform {
	return policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel,
		Preservation: policy.PreserveBoth, Direction: policy.DirectionSymmetric}
}

// CBC is ESP with AES-128-CBC and HMAC-SHA-256-128 in tunnel mode, both addresses preserved.
func CBC() policy.Transform {
	t := GCM()
	t.Cipher, t.Integrity = policy.CipherAESCBC, policy.IntegrityHMACSHA256
	return t
}

// Multicast has the group's PUSH messages go to the lab's multicast group, which is of the family of the members.
func Multicast(g *policy.Group) {
	family := IPv4Family
	if len(g.Members) > 0 {
		family = familyOf(g.Members[0].Addr())
	}
	g.Rekey.Transport = policy.TransportMulticast
	g.Rekey.Address = netip.AddrPortFrom(family.Group(), Port)
}

// Protect6 adds an SA like the group's first for the IPv6 traffic of the hosts.
func Protect6(g *policy.Group) {
	sa := g.SAs[0]
	sa.Selector = policy.Selector{Source: Protected6, Destination: Protected6}
	g.SAs = append(g.SAs, sa)
}

var psk = []byte("gdoi-psk of the lab")

// usualPhase1 is Phase 1 with a peer under the suite that the device's manifest names.
func usualPhase1(usual peer.Usual, with netip.Prefix) policy.Phase1 {
	p, key := usual.Phase1, psk
	if usual.PSK != "" {
		key = []byte(usual.PSK)
	}
	return policy.Phase1{Proposals: []policy.Proposal{p}, AllowWeak: p.Weak(), PSKs: []policy.PSK{{Peer: with, Key: key}}}
}

func defaultKeyServer(usual peer.Usual, s Setup) (*policy.KeyServer, error) {
	if s.Signature != 0 {
		usual.Signature = s.Signature
	}
	key, err := SigningKey(map[policy.SigAlgorithm]string{policy.SigRSA: "ks1", policy.SigECDSA256: "ks-p256"}[usual.Signature])
	if err != nil {
		return nil, err
	}
	c := &policy.KeyServer{
		Name: KeyServerName, Profile: s.Profile, Address: netip.AddrPortFrom(s.Family.KeyServerAddress(), Port), SigningKey: key,
		Phase1: usualPhase1(usual, s.Family.Anywhere()),
		Groups: []policy.Group{DefaultGroup()}, SNMP: s.agent(),
	}
	if s.Family == IPv6Family {
		c.Groups[0].Members = []netip.Prefix{WAN6}
	}
	if s.Group != nil {
		s.Group(&c.Groups[0])
	}
	if s.KeyServer != nil {
		s.KeyServer(c)
	}
	return c, nil
}

func defaultMember(usual peer.Usual, s Setup, i int) *policy.Member {
	ks := s.keyServerFor(i)
	c := &policy.Member{
		Name: MemberName(i), Profile: s.Profile, Address: netip.AddrPortFrom(s.Family.MemberAddress(i), Port),
		KeyServers: []netip.AddrPort{netip.AddrPortFrom(ks, Port)},
		Phase1:     usualPhase1(usual, netip.PrefixFrom(ks, ks.BitLen())),
		Group:      GroupID, Inside: s.inFront(i), SNMP: s.agent(),
	}
	if s.IPv6 {
		c.OtherAddress = s.Family.other().MemberAddress(i)
	}
	if s.Member != nil {
		s.Member(i, c)
	}
	return c
}

// signingKeys are those that have been read, by name.
var signingKeys sync.Map

// SigningKey reads a test key of fixtures/keys as PKCS#8 DER. It is not to be written into.
func SigningKey(name string) ([]byte, error) {
	if der, ok := signingKeys.Load(name); ok {
		return der.([]byte), nil
	}
	text, err := fixtures.FS.ReadFile("keys/" + name + ".pem")
	if err != nil {
		return nil, fmt.Errorf("lab: signing key: %w", err)
	}
	der, err := policy.DecodeShortKey(text)
	if err != nil {
		return nil, fmt.Errorf("lab: signing key %s %w", name, err)
	}
	signingKeys.Store(name, der)
	return der, nil
}

var _ core.Tap = (*Peer)(nil).see
