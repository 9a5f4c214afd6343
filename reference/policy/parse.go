package policy

import (
	"bytes"
	"io/fs"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// ParseKeyServer makes a key server's configuration of YAML. The name stands in errors, which are yamldoc.Problems; open
// reads the signing key. What the file leaves out stays zero, except the port.
func ParseKeyServer(name string, data []byte, open ReadFile) (KeyServer, error) {
	var k KeyServer
	err := yamldoc.Read(name, data, func(root yamldoc.Value) { k = keyServer(root, open) })
	if err != nil {
		return KeyServer{}, err
	}
	return k, nil
}

// ParseMember makes a group member's configuration of YAML; see ParseKeyServer. It opens no files: certificates stand in the
// configuration itself.
func ParseMember(name string, data []byte) (Member, error) {
	return parseMember(name, data, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
}

func parseMember(name string, data []byte, open ReadFile) (Member, error) {
	var m Member
	err := yamldoc.Read(name, data, func(root yamldoc.Value) { m = member(root, open) })
	if err != nil {
		return Member{}, err
	}
	return m, nil
}

func keyServer(root yamldoc.Value, open ReadFile) KeyServer {
	var k KeyServer
	var key place[namedKey]
	var agent place[*SNMP]
	var groups []place[Group]
	var interfaces []place[Interface]
	fields := []yamldoc.Field{
		yamldoc.Required("name", &k.Name, nodeName),
		yamldoc.Optional("profile", &k.Profile, profiles.Read),
		yamldoc.Required("address", &k.Address, unicastPort),
		yamldoc.Optional("replay_attributes", &k.Replay, replayAttributes),
		yamldoc.Optional("signing_key", &key, placed(func(v yamldoc.Value) namedKey { return signingKey(v, open) })),
		yamldoc.Required("phase1", &k.Phase1, phase1Of(open)),
		yamldoc.Required("groups", &groups, groupList),
		yamldoc.Optional("console", &k.Console, consoleOf(open)),
		yamldoc.Optional("snmp", &agent, placed(snmp)),
		yamldoc.Optional("log", &k.Log, logReceiver),
	}
	root.Fields(append(fields, routerFields(&k.Router, &interfaces)...)...)
	checkConsole(root, k.Profile, nil)
	checkSigningKey(key, k.Profile)
	checkProfile(k.Profile, root, ofRouter...)
	k.Router.Interfaces = interfacesOf(k.Address, interfaces)
	k.SigningKey, k.SNMP = key.value.der, ofProfile(k.Profile, agent)
	if len(k.SigningKey) > 0 && bytes.Equal(k.SigningKey, k.Phase1.Certificates.Key) {
		root.Problem("the signing_key is that of phase1.certificates; rekey messages are signed with another (RFC 6407 §4.1)")
	}
	algorithm := signatureAlgorithm(k.SigningKey)
	checkReplayMember(root, k.Profile)
	for _, g := range groups {
		checkReplayProfile(g.at, g.value, k.Profile)
		k.Groups = append(k.Groups, g.value)
		checkChangeFields(k.Profile, g)
		checkOfProfile(g.at, k.Profile, g.value)
		checkGroupModes(k.Profile, g)
		if !root.Has("signing_key") && signs(g.value.Rekey.Transport) && k.Profile != ProfileGETVPN {
			root.Problem("the field \"signing_key\" is missing; the rekey of %s has to be signed", g.at.Path())
		}
		if to := g.value.Rekey.Address.Addr(); differ(to, k.Address.Addr()) {
			g.at.Problem("the rekey goes to %s, which is not of the same IP version as the address %s", to, k.Address.Addr())
		}
		if err := g.value.Rekey.SignableBy(algorithm); err != nil {
			g.at.Problem("the rekey's %v", err)
		}
		for _, m := range g.value.Members {
			if k.Phase1.needsPSK() && !keyOverlaps(k.Phase1.PSKs, m) {
				g.at.Problem("the members %s have no pre-shared key; add one for them to phase1.psks", m)
			}
		}
	}
	return k
}

func signs(t Transport) bool { return t == TransportUnicast || t == TransportMulticast }

func member(root yamldoc.Value, open ReadFile) Member {
	var m Member
	var other place[netip.Addr]
	var servers []place[netip.AddrPort]
	var groups []place[groupMember]
	var ofOne places
	var demand place[bool]
	var vendor places
	var agent place[*SNMP]
	var tracked place[*Track]
	var rekey place[MemberRekey]
	var limits place[Client]
	var tables []place[Member]
	fields := append(append(dataPathFields(&m.DataPath), memberModeFields(&m, &ofOne)...),
		yamldoc.Required("name", &m.Name, nodeName),
		yamldoc.Optional("profile", &m.Profile, profiles.Read),
		yamldoc.Required("address", &m.Address, unicastPort),
		yamldoc.Optional("other_address", &other, placed(unicast)),
		yamldoc.Optional("key_servers", &servers, keyServers),
		yamldoc.Required("phase1", &m.Phase1, phase1Of(open)),
		yamldoc.Optional("group", &m.Group, noted(&ofOne, groupID)),
		yamldoc.Optional("group_oid", &m.GroupOID, noted(&ofOne, oidName)),
		yamldoc.Optional("group_name", &m.GroupName, noted(&ofOne, nodeName)),
		yamldoc.Optional("console", &m.Console, consoleOf(open)),
		yamldoc.Optional("vrf", &m.VRF, nodeName),
		yamldoc.Optional("namespace", &m.Namespace, path),
		yamldoc.Optional("vrfs", &tables, yamldoc.List(placed(func(v yamldoc.Value) Member { return member(v, open) }))),
		yamldoc.Optional("iec61850", &m.IEC61850, yamldoc.Value.Bool),
		yamldoc.Optional("groups", &groups, memberGroups),
		yamldoc.Optional("authorised", &m.Authorised, noted(&ofOne, yamldoc.List(flow))),
		yamldoc.Optional("inside", &m.Inside, yamldoc.List(network)),
		yamldoc.Optional("joins", &m.Joins, yamldoc.List(stream)),
		yamldoc.Optional("fail_open", &m.FailOpen, yamldoc.Value.Bool),
		yamldoc.Optional("mtu", &m.MTU, within(576, 65535)),
		yamldoc.Optional("replay_window", &m.ReplayWindow, replayWindow),
		yamldoc.Optional("first_sequence", &m.FirstSequence, anyNumber),
		yamldoc.Optional("retry_delay", &m.RetryDelay, between(time.Millisecond, maxDelay)),
		yamldoc.Optional("re_register", &m.ReRegister, between(time.Millisecond, maxDelay)),
		yamldoc.Optional("sid_request", &m.SIDRequest, noted(&ofOne, within(0, 65535))),
		yamldoc.Optional("on_demand", &demand, placed(yamldoc.Value.Bool)),
		yamldoc.Optional("snmp", &agent, placed(snmp)),
		yamldoc.Optional("track", &tracked, noted(&ofOne, placed(track))),
		yamldoc.Optional("rekey", &rekey, placed(memberRekey)),
		yamldoc.Optional("replay_attributes", &m.Replay, replayAttributes),
		yamldoc.Optional("metadata", &m.Metadata, metadata),
		yamldoc.Optional(accessList, &m.AccessList, noted(&vendor, aceList)),
		yamldoc.Optional("deny_protocol", &m.DenyProtocol, noted(&vendor, denyProtocol)),
		yamldoc.Optional("client", &limits, placed(client)),
		yamldoc.Optional("zero_attributes", &m.ZeroAttributes, yamldoc.Value.Bool),
		yamldoc.Optional("ipsec_flows", &m.IPsecFlows, noted(&vendor, within(1, 65536))),
		yamldoc.Optional("log", &m.Log, logReceiver),
	)
	if root.Fields(fields...) {
		checkGroups(root, groups, ofOne, m.Profile)
	}
	checkConsole(root, m.Profile, groups)
	checkReplayMember(root, m.Profile)
	for _, v := range vendor {
		if m.Profile != ProfileGETVPN {
			v.Problem("is for profile %s", ProfileGETVPN)
		}
	}
	m.SNMP, m.Track = ofProfile(m.Profile, agent), ofProfile(m.Profile, tracked)
	if m.OnDemand = demand.value; m.OnDemand && m.FailOpen {
		demand.at.Problem("no packet asks for a registration where fail_open lets it pass in clear; take one of them out")
	}
	m.Rekey = rekey.value
	checkMemberRekey(m.Profile, rekey)
	checkMemberModes(root, m, groups)
	m.OtherAddress = other.value
	own := m.Address.Addr()
	if own.IsValid() && other.value.IsValid() && !differ(own, other.value) {
		other.at.Problem("%s is of the same IP version as the address %s", other.value, own)
	}
	m.KeyServers, m.Client = m.askedFrom(servers), limits.value
	m.VRFs = tablesOf(m, tables)
	checkClient(root, limits.at, m)
	for _, g := range groups {
		in := g.value.Membership
		in.Track = ofProfile(m.Profile, g.value.track)
		in.KeyServers = m.askedFrom(g.value.servers)
		m.Groups = append(m.Groups, in)
	}
	return m
}

func keyServers(v yamldoc.Value) []place[netip.AddrPort] {
	return yamldoc.Some("key server", placed(unicastPort))(v)
}

// askedFrom checks that the member can ask each of these key servers.
func (m *Member) askedFrom(servers []place[netip.AddrPort]) (all []netip.AddrPort) {
	own := m.Address.Addr()
	seen := make(map[netip.AddrPort]string)
	for _, s := range servers {
		once(s.at, seen, s.value)
		if differ(own, s.value.Addr()) {
			s.at.Problem("%s is not of the same IP version as the address %s", s.value.Addr(), own)
		}
		all = append(all, s.value)
		if s.value.IsValid() && m.Phase1.needsPSK() && !m.Phase1.Reaches(s.value.Addr()) {
			s.at.Problem("%s has no pre-shared key; add one for it to phase1.psks", s.value.Addr())
		}
	}
	return all
}

// differ reports whether two addresses are of different IP versions. One that could not be read differs from none.
func differ(a, b netip.Addr) bool { return a.IsValid() && b.IsValid() && a.Is4() != b.Is4() }

func memberRekey(v yamldoc.Value) MemberRekey {
	var r MemberRekey
	v.Fields(
		yamldoc.Optional("accept_sha1", &r.AcceptSHA1, yamldoc.Value.Bool),
		yamldoc.Optional("signature_form", &r.SignatureForm, sigForms.Read),
		yamldoc.Optional("kek", &r.KEKBehaviour, kekBehaviours.Read),
		yamldoc.Optional("tell_missed", &r.TellMissed, yamldoc.Value.Bool),
	)
	return r
}

// checkMemberRekey refuses what only profile getvpn has.
func checkMemberRekey(p Profile, r place[MemberRekey]) {
	if p == ProfileGETVPN {
		return
	}
	if r.value.KEKBehaviour != KEKNew {
		r.at.Problem("the field \"kek\" is for profile getvpn; leave it out")
	}
	if r.value.TellMissed {
		r.at.Problem("the field \"tell_missed\" is for profile getvpn; leave it out")
	}
}

// keyOverlaps reports whether some address of the prefix has a pre-shared key, or may have one once the faults of the keys
// are mended.
func keyOverlaps(keys []PSK, p netip.Prefix) bool {
	for _, k := range keys {
		if !k.Peer.IsValid() || !p.IsValid() || k.Peer.Overlaps(p) {
			return true
		}
	}
	return false
}

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
