package policy

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// MarshalKeyServer writes a key server's configuration as ParseKeyServer reads it. The signing key is not in it:
// signingKey is the path by which the configuration refers to it, and SigningKeyPEM makes its content. It fails if a value
// has no word in a configuration file.
func MarshalKeyServer(k KeyServer, signingKey string) ([]byte, error) {
	phase1, err := phase1DocOf(k.Phase1)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	doc := keyServerDoc{Name: k.Name, Address: k.Address.String(), Phase1: phase1, Replay: replayAttributesDocOf(k.Replay), Console: consoleDocOf(k.Console),
		routerDoc: routerDocOf(k.Router)}
	if doc.Profile, err = profileDocOf(k.Profile); err != nil {
		return nil, fmt.Errorf("policy: key server %s: %w", k.Name, err)
	}
	if doc.SNMP, err = snmpDocOf(k.SNMP); err != nil {
		return nil, err
	}
	if doc.Log, err = logDocOf(k.Log); err != nil {
		return nil, fmt.Errorf("policy: key server %s: %w", k.Name, err)
	}
	if len(k.SigningKey) > 0 {
		doc.SigningKey = signingKey
	}
	for _, g := range k.Groups {
		group, err := groupDocOf(g)
		if err != nil {
			return nil, fmt.Errorf("policy: group %s: %w", g.Name, err)
		}
		doc.Groups = append(doc.Groups, group)
	}
	return yaml.Marshal(doc)
}

// MarshalMember writes a group member's configuration as ParseMember reads it; see MarshalKeyServer.
func MarshalMember(m Member) ([]byte, error) {
	doc, err := memberDocOf(m)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(doc)
}

func memberDocOf(m Member) (doc memberDoc, err error) {
	phase1, err := phase1DocOf(m.Phase1)
	if err != nil {
		return doc, fmt.Errorf("policy: %w", err)
	}
	doc = memberDoc{
		Name: m.Name, Address: m.Address.String(), KeyServers: texts(m.KeyServers), Phase1: phase1, Group: m.Group, Groups: membershipDocs(m.Groups),
		GroupOID: oidDocOf(m.GroupOID), IEC61850: m.IEC61850, GroupName: m.GroupName, Console: consoleDocOf(m.Console),
		Inside: texts(m.Inside), Joins: streamDocs(m.Joins), FailOpen: m.FailOpen, MTU: m.MTU, ReplayWindow: m.ReplayWindow,
		FirstSequence: m.FirstSequence,
		RetryDelay:    duration(m.RetryDelay), ReRegister: duration(m.ReRegister), SIDRequest: m.SIDRequest, OnDemand: m.OnDemand, Passive: m.Passive,
		Replay: replayAttributesDocOf(m.Replay), Metadata: metadataDocOf(m.Metadata),
		AccessList: aceDocs(m.AccessList), DenyProtocol: m.DenyProtocol, PacketRate: m.PacketRate,
	}
	if doc.dataPathDoc, err = dataPathDocOf(m.DataPath); err != nil {
		return doc, fmt.Errorf("policy: member %s: %w", m.Name, err)
	}
	if doc.Profile, err = profileDocOf(m.Profile); err != nil {
		return doc, fmt.Errorf("policy: member %s: %w", m.Name, err)
	}
	doc.IPsecFlows, doc.Zeros = m.IPsecFlows, m.ZeroAttributes
	if doc.Log, err = logDocOf(m.Log); err != nil {
		return doc, fmt.Errorf("policy: member %s: %w", m.Name, err)
	}
	if doc.FailClose, err = failCloseDocOf(m.FailClose); err != nil {
		return doc, fmt.Errorf("policy: member %s: %w", m.Name, err)
	}
	if doc.Client, err = clientDocOf(m.Client); err != nil {
		return doc, fmt.Errorf("policy: member %s: %w", m.Name, err)
	}
	if m.OtherAddress.IsValid() {
		doc.OtherAddress = m.OtherAddress.String()
	}
	doc.Authorised, doc.Track = flowDocs(m.Authorised), trackDocOf(m.Track)
	if doc.SNMP, err = snmpDocOf(m.SNMP); err != nil {
		return doc, err
	}
	if m.Rekey != (MemberRekey{}) {
		form, ok := word(sigForms, m.Rekey.SignatureForm)
		kek, ok2 := word(kekBehaviours, m.Rekey.KEKBehaviour)
		if !ok || !ok2 {
			return doc, fmt.Errorf("policy: signature form %d or KEK behaviour %d has no name", uint8(m.Rekey.SignatureForm), uint8(m.Rekey.KEKBehaviour))
		}
		doc.Rekey = &memberRekeyDoc{AcceptSHA1: m.Rekey.AcceptSHA1, SigForm: form, KEK: kek, TellMissed: m.Rekey.TellMissed}
	}
	doc.VRF, doc.Namespace = m.VRF, m.Namespace
	for _, one := range m.VRFs {
		table, err := memberDocOf(one)
		if err != nil {
			return doc, err
		}
		doc.VRFs = append(doc.VRFs, table)
	}
	return doc, nil
}

// profileDocOf leaves out the one that nobody has to name.
func profileDocOf(p Profile) (string, error) {
	if p == ProfileRFC6407 {
		return "", nil
	}
	name, ok := word(profiles, p)
	if !ok {
		return "", fmt.Errorf("profile %d has no name", uint8(p))
	}
	return name, nil
}

func membershipDocs(groups []Membership) (docs []membershipDoc) {
	for _, in := range groups {
		docs = append(docs, membershipDoc{
			ID: in.Group, Name: in.GroupName, GroupOID: oidDocOf(in.GroupOID), KeyServers: texts(in.KeyServers), Authorised: flowDocs(in.Authorised), SIDRequest: in.SIDRequest,
			Passive: in.Passive, Track: trackDocOf(in.Track),
		})
	}
	return docs
}

func streamDocs(streams []Stream) (docs []streamDoc) {
	for _, s := range streams {
		doc := streamDoc{Group: s.Group.String(), Interface: s.Interface}
		if s.Source.IsValid() {
			doc.Source = s.Source.String()
		}
		docs = append(docs, doc)
	}
	return docs
}

func flowDocs(flows []Flow) (docs []selectorDoc) {
	for _, f := range flows {
		doc := selectorDocOf(Selector{Protocol: f.Protocol, SourcePort: f.SourcePort, DestinationPort: f.DestinationPort})
		doc.Source, doc.Destination = f.Source.String(), f.Destination.String()
		docs = append(docs, doc)
	}
	return docs
}

// SigningKeyPEM returns the signing key as the content of a file for LoadKeyServer.
func SigningKeyPEM(k KeyServer) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k.SigningKey})
}

func phase1DocOf(p Phase1) (phase1Doc, error) {
	mode, ok1 := word(exchangeModes, p.Mode)
	prefer, ok2 := word(preferences, p.Prefer)
	if !ok1 || !ok2 {
		return phase1Doc{}, fmt.Errorf("mode %d or preference %d of Phase 1 has no name", p.Mode, p.Prefer)
	}
	doc := phase1Doc{
		AllowWeak: p.AllowWeak, Mode: mode, ClearProof: p.ClearProof, AnySituation: p.AnySituation, FromZero: p.TransformsFromZero,
		Prefer: prefer, Kilobytes: p.Kilobytes, DPD: duration(p.DPD),
		Lifetime: duration(p.Lifetime), Retransmit: duration(p.Retransmit), Retries: p.Retries,
		Established: p.Established, NATTraversal: p.NATTraversal, Keepalive: duration(p.Keepalive),
	}
	if p.HalfOpen != (HalfOpen{}) {
		doc.HalfOpen = &halfOpenDoc{p.HalfOpen.Total, p.HalfOpen.PerAddress}
	}
	if p.Identity.Kind != IdentityNone {
		doc.Identity = p.Identity.String()
	}
	for _, i := range p.Peers {
		doc.Peers = append(doc.Peers, i.String())
	}
	if p.Certificates.Set() {
		doc.Certificates = certificatesDocOf(p.Certificates)
	}
	for _, o := range p.Proposals {
		proposal, err := proposalDocOf(o)
		if err != nil {
			return phase1Doc{}, err
		}
		doc.Proposals = append(doc.Proposals, proposal)
	}
	for _, k := range p.PSKs {
		psk := pskDoc{Key: pskText(k.Key)}
		if k.Peer.IsValid() {
			psk.Peer = k.Peer.String()
		}
		if k.Identity.Kind != IdentityNone {
			psk.Identity = k.Identity.String()
		}
		doc.PSKs = append(doc.PSKs, psk)
	}
	return doc, nil
}

func proposalDocOf(p Proposal) (proposalDoc, error) {
	cipher, ok1 := phase1Ciphers.Of(Proposal{Encryption: p.Encryption, KeyBits: p.KeyBits})
	hash, ok2 := phase1Hashes.Of(p.Hash)
	group, ok3 := dhGroups.Of(p.Group)
	method, ok4 := word(phase1Auths, p.Authentication)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return proposalDoc{}, fmt.Errorf("the proposal %s has no name", p)
	}
	return proposalDoc{Authentication: method, Encryption: cipher, Hash: hash, Group: group}, nil
}

// certificatesDocOf writes everything into the document itself, so that no other file is needed.
func certificatesDocOf(c Certificates) *certificatesDoc {
	return &certificatesDoc{
		Chain: encodePEM(c.Chain, certificateBlock), Key: encodePEM([][]byte{c.Key}, "PRIVATE KEY"),
		Anchors: encodePEM(c.Anchors, certificateBlock), CRLs: encodePEM(c.CRLs, crlBlock),
		Known: encodePEM(c.Known, certificateBlock),
	}
}

// pskText writes a key as text if it is plain, and else in hexadecimal.
func pskText(key []byte) string {
	s := string(key)
	plain := !strings.HasPrefix(s, hexPrefix) && strings.TrimSpace(s) == s
	for _, c := range key {
		plain = plain && c >= ' ' && c <= '~'
	}
	if plain {
		return s
	}
	return hexPrefix + hex.EncodeToString(key)
}

func groupDocOf(g Group) (groupDoc, error) {
	doc := groupDoc{Name: g.Name, ID: g.ID, OID: oidDocOf(g.OID), SIDBits: g.SIDBits, Activation: activationDocOf(g.Activation),
		Authorization: authorizationDocOf(g.Authorization), ReceiveOnly: g.ReceiveOnly, DenyProtocol: g.DenyProtocol, Zeros: g.ZeroAttributes, PacketRate: g.PacketRate}
	members := texts(g.Members)
	if g.SIDRange != (SIDRange{}) {
		doc.SIDRange = &sidRangeDoc{g.SIDRange.First, g.SIDRange.Last}
	}
	for _, i := range g.Identities {
		members = append(members, i.String())
	}
	if g.Authorization == nil {
		doc.Members = &members
	}
	if g.Rekey != (RekeyPolicy{Transport: TransportNone}) {
		rekey, err := rekeyDocOf(g.Rekey)
		if err != nil {
			return groupDoc{}, err
		}
		doc.Rekey = &rekey
	}
	for _, s := range g.SAs {
		sa, err := saDocOf(s)
		if err != nil {
			return groupDoc{}, err
		}
		doc.SAs = append(doc.SAs, sa)
	}
	return doc, nil
}

func rekeyDocOf(r RekeyPolicy) (rekeyDoc, error) {
	transport, ok := transports.Of(r.Transport)
	if !ok {
		return rekeyDoc{}, fmt.Errorf("transport %q has no name", r.Transport)
	}
	ack, ok := ackTypes.Of(r.Ack)
	if !ok {
		return rekeyDoc{}, fmt.Errorf("acknowledgement type %d has no name", r.Ack)
	}
	cipher, ok1 := word(kekTransforms, r.KEK)
	hash, ok2 := word(sigHashes, r.SigHash)
	form, ok3 := word(sigForms, r.SigForm)
	management, ok4 := word(managements, r.Management)
	behaviour, ok5 := word(kekBehaviours, r.KEKBehaviour)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return rekeyDoc{}, fmt.Errorf("cipher %+v, signature hash %d, signature form %d, management %d or KEK behaviour %d has no name",
			r.KEK, r.SigHash, uint8(r.SigForm), r.Management, uint8(r.KEKBehaviour))
	}
	doc := rekeyDoc{
		Transport: transport, KEKLifetime: duration(r.KEKLifetime), Margin: duration(r.Margin), Retransmit: r.Retransmit,
		Interval: duration(r.Interval), Ack: ack, Cipher: cipher, SigHash: hash, SigForm: form,
		Management: management, Updates: r.Updates, Backward: r.Backward, KEK: behaviour, Reminders: r.Reminders, Sync: duration(r.Sync),
	}
	if r.Address.IsValid() {
		doc.Address = r.Address.String()
	}
	return doc, nil
}

// word is the name of a value. What is zero is left out, and stands for the default.
func word[T comparable](names yamldoc.Names[T], value T) (string, bool) {
	var zero T
	if value == zero {
		return "", true
	}
	return names.Of(value)
}

func activationDocOf(a Activation) *activationDoc {
	if a.ATD == nil && a.DTD == nil {
		return nil
	}
	var doc activationDoc
	if a.ATD != nil {
		doc.ATD = yamldoc.Duration(*a.ATD)
	}
	if a.DTD != nil {
		doc.DTD = yamldoc.Duration(*a.DTD)
	}
	return &doc
}

func saDocOf(s SAPolicy) (any, error) {
	t := s.Transform
	if t.Protocol == ProtocolIEC61850 {
		body, err := iecDocOf(s)
		return iecSADoc{IEC61850: body, Lifetime: duration(s.Lifetime)}, err
	}
	kind, ok1 := transforms.Of(t.algorithms())
	mode, ok2 := modes.Of(t.Mode)
	preservation, ok3 := preservations.Of(t.Preservation)
	direction, ok4 := directions.Of(t.Direction)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, fmt.Errorf("transform %+v has no name", t)
	}
	replay, err := antiReplayDocOf(s.AntiReplay)
	if err != nil {
		return nil, err
	}
	doc := saDoc{
		selectorDoc: selectorDocOf(s.Selector), Transform: kind, ESN: t.ESN, Mode: mode, Preservation: preservation, Direction: direction,
		Lifetime: duration(s.Lifetime), AntiReplay: replay, Tag: tagDocOf(s.Tag),
	}
	if doc.AccessList, doc.IPsecProfile = aceDocs(s.AccessList), s.IPsecProfile; len(s.AccessList) > 0 {
		doc.selectorDoc = selectorDoc{}
	}
	for _, also := range s.Also {
		doc.Also = append(doc.Also, selectorDocOf(also))
	}
	return doc, nil
}

func selectorDocOf(s Selector) selectorDoc {
	doc := selectorDoc{
		Source: s.Source.String(), Destination: s.Destination.String(), SourcePort: s.SourcePort, DestinationPort: s.DestinationPort,
	}
	if name, ok := protocols.Of(s.Protocol); ok && s.Protocol != 0 {
		doc.Protocol = name
	} else if s.Protocol != 0 {
		doc.Protocol = s.Protocol
	}
	return doc
}

// duration leaves out what is zero, which stands for the default.
func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return yamldoc.Duration(d)
}

func texts[T interface {
	netip.AddrPort | netip.Prefix
	String() string
}](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.String()
	}
	return all
}
