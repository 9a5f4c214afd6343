package iosconfig

import (
	"net/netip"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// global is the mode in which a configuration begins.
var global = mode{"global", nil}

// The table refers to itself by the modes that its commands enter.
func init() { global.commands = globalCommands() }

// ignored is what has no effect on a group and no field.
func ignored(*reader, line, []string) {}

// noField is what routers know and the policy has no field for.
func noField(r *reader, l line, _ []string) {
	r.lacking(l, "the policy has no field for %q", l.text())
}

func globalCommands() []syntax {
	commands := []syntax{
		on("hostname <name>", func(r *reader, _ line, a []string) { r.doc.hostname = a[0] }),
		on("enable secret <secret>", func(r *reader, _ line, a []string) { r.doc.enable = a[0] }),
		on("enable password <secret>", func(r *reader, _ line, a []string) { r.doc.enable = a[0] }),
		on("username <name> privilege 15 password <secret>", user(true)), on("username <name> privilege 15 secret <secret>", user(true)),
		on("username <name> password <secret>", user(false)), on("username <name> secret <secret>", user(false)),
		on("crypto isakmp policy <n>", enterISAKMP),
		on("crypto isakmp key <key> address <a>", func(r *reader, l line, a []string) { isakmpKey(r, l, a[0], a[1], "255.255.255.255") }),
		on("crypto isakmp key <key> address <a> <mask>", func(r *reader, l line, a []string) { isakmpKey(r, l, a[0], a[1], a[2]) }),
		on("crypto isakmp key <key> hostname <name>", func(r *reader, _ line, a []string) {
			r.doc.keys = append(r.doc.keys, policy.PSK{Identity: policy.Identity{Kind: policy.IdentityFQDN, Value: a[1]}, Key: []byte(a[0])})
		}),
		on("crypto isakmp identity <what>", func(r *reader, l line, a []string) {
			r.doc.identity = known(r, l, map[string]string{"address": "address", "hostname": "hostname", "dn": "dn"}, a[0])
		}),
		on("crypto isakmp keepalive <s> ...", func(r *reader, l line, a []string) { r.doc.dpd = r.seconds(l, a[0], 10, 3600) }),
		on("crypto ipsec transform-set <name> ...", enterTransform),
		on("crypto ipsec security-association lifetime seconds <s>", func(r *reader, l line, a []string) { r.doc.lifetime = r.lifetime(l, a[0]) }),
		on("crypto ipsec security-association lifetime days <d>", func(r *reader, l line, a []string) { r.doc.lifetime = r.days(l, a[0]) }),
		on("crypto ipsec security-association lifetime kilobytes ...", noField),
		on("crypto ipsec profile <name>", enterProfile),
		on("crypto gdoi group <name>", enterGroup),
		on("crypto gdoi group ipv6 <name>", noField),
		on("crypto map <map> <seq> gdoi", enterMap),
		on("crypto map <map> gdoi fail-close", enterFailClose),
		on("crypto map <map> local-address <if>", func(r *reader, _ line, a []string) { r.doc.local[a[0]] = a[1] }),
		on("crypto map ipv6 ...", noField),
		on("crypto identity <name>", enterIdentity),
		on("crypto pki trustpoint <name>", enterTrustpoint),
		on("access-list <name> ...", func(r *reader, l line, a []string) { listEntry(r, l, a[0], a[1:]) }),
		on("ip access-list extended <name>", enterList), on("ip access-list standard <name>", enterList),
		on("interface <name>", enterInterface),
		on("ip vrf <name>", enterVRF), on("vrf definition <name>", enterVRF),
		on("ip host <name> <a>", func(r *reader, l line, a []string) { r.doc.hosts[strings.ToLower(a[0])] = r.address(l, a[1]) }),
		on("track <n> ...", enterTrack),
		on("ip route <a> <mask> Null0", func(r *reader, l line, a []string) {
			p, err := masked(a[0], a[1], false)
			if err != nil {
				r.problem(l, "%v", err)
				return
			}
			r.doc.nullRoutes = append(r.doc.nullRoutes, p)
		}),
		on("logging host <a>", func(r *reader, l line, a []string) { logTo(r, l, a[0], "udp", "514") }),
		on("logging host <a> transport <p> port <n>", func(r *reader, l line, a []string) { logTo(r, l, a[0], a[1], a[2]) }),
		on("event manager applet <name> ...", func(r *reader, l line, a []string) {
			noField(r, l, a)
			r.enter("applet", on("event ...", ignored), on("action ...", ignored))
		}),
	}
	for _, pattern := range []string{"version ...", "service ...", "boot-start-marker", "boot-end-marker", "aaa ...", "no aaa ...", "crypto key generate ...",
		"crypto isakmp aggressive-mode disable", "ip domain ...", "ip domain-name <name>", "ip routing", "ip multicast-routing ...", "ip ssh ...",
		"ip route ...", "ip cef", "no ip domain ...", "no ip http ...", "clock ...", "ntp ...", "buffers ...", "logging ...", "snmp-server ...", "line ..."} {
		commands = append(commands, on(pattern, ignored))
	}
	return commands
}

func user(privileged bool) func(*reader, line, []string) {
	return func(r *reader, _ line, a []string) {
		r.doc.users = append(r.doc.users, policy.ConsoleUser{Name: a[0], Password: a[1], Privileged: privileged})
	}
}

// logTo sends the log to a receiver, in the form that routers write it in.
func logTo(r *reader, l line, address, protocol, number string) {
	to := policy.LogReceiver{Format: policy.LogRFC3164, Framing: policy.FrameByLineFeed}
	to.Network = known(r, l, map[string]policy.LogNetwork{"udp": policy.LogUDP, "tcp": policy.LogTCP}, protocol)
	if to.Network == policy.LogUDP {
		to.Framing = policy.FrameByCount // a datagram has its end of itself
	}
	if a := r.address(l, address); a.IsValid() {
		to.Address = netip.AddrPortFrom(a, uint16(r.number(l, number, 1, 65535)))
	}
	r.doc.log = to
}

// enterISAKMP has what routers have unless it is said: signatures and SHA-1; for DES there is no replacement.
func enterISAKMP(r *reader, l line, a []string) {
	p := &isakmpPolicy{at: l, priority: r.number(l, a[0], 1, 10000)}
	p.proposal = policy.Proposal{Authentication: policy.AuthRSA, Hash: policy.Phase1SHA1, Group: policy.MODP768}
	r.doc.policies = append(r.doc.policies, p)
	encr := func(r *reader, l line, a []string) {
		p.encr = true
		switch {
		case a[0] == "aes":
			p.proposal.Encryption = policy.Phase1AES
			p.proposal.KeyBits, _ = aesBits(a[1:])
		case a[0] == "3des":
			p.proposal.Encryption, p.proposal.KeyBits = policy.Phase13DES, 0
		default:
			r.problem(l, "the cipher %s is not known here; take aes or 3des", a[0])
		}
	}
	r.enter("isakmp policy", on("encr <c> ...", encr), on("encryption <c> ...", encr),
		on("hash <h>", func(r *reader, l line, a []string) { p.proposal.Hash = known(r, l, hashes, a[0]) }),
		on("authentication <a>", func(r *reader, l line, a []string) { p.proposal.Authentication = known(r, l, authentications, a[0]) }),
		on("group <g>", func(r *reader, l line, a []string) { p.proposal.Group = known(r, l, dhGroups, a[0]) }),
		on("lifetime <s>", func(r *reader, l line, a []string) { p.lifetime = r.seconds(l, a[0], 60, 86400) }))
}

// isakmpKey takes the mask 0.0.0.0 with the address 0.0.0.0 for everybody, as routers do without a mask too.
func isakmpKey(r *reader, l line, key, address, mask string) {
	if address == "0.0.0.0" {
		mask = "0.0.0.0"
	}
	p, err := masked(address, mask, false)
	if err != nil {
		r.problem(l, "%v", err)
		return
	}
	r.doc.keys = append(r.doc.keys, policy.PSK{Peer: p, Key: []byte(key)})
}

func enterTransform(r *reader, l line, a []string) {
	t := r.transforms(l, a[1:])
	set := &transformSet{l, t}
	r.doc.transforms[a[0]] = set
	r.enter("transform set", on("mode tunnel", ignored), on("mode transport", func(*reader, line, []string) {
		set.transform.Mode, set.transform.Preservation = policy.ModeTransport, policy.PreserveAbsent
	}))
}

func enterProfile(r *reader, l line, a []string) {
	p := &ipsecProfile{at: l}
	r.doc.profiles[a[0]] = p
	r.enter("ipsec profile",
		on("set security-association lifetime seconds <s>", func(r *reader, l line, a []string) { p.lifetime = r.lifetime(l, a[0]) }),
		on("set security-association lifetime days <d>", func(r *reader, l line, a []string) { p.lifetime = r.days(l, a[0]) }),
		on("set security-association lifetime kilobytes ...", noField),
		on("set transform-set <name>", func(_ *reader, l line, a []string) { p.set, p.setAt = a[0], l }))
}

func enterList(r *reader, l line, a []string) {
	name := a[0]
	r.doc.list(l, name)
	r.enter("access list",
		on("permit ...", func(r *reader, l line, a []string) { listEntry(r, l, name, append([]string{"permit"}, a...)) }),
		on("deny ...", func(r *reader, l line, a []string) { listEntry(r, l, name, append([]string{"deny"}, a...)) }),
		on("remark ...", ignored),
		on("<n> permit ...", func(r *reader, l line, a []string) { listEntry(r, l, name, append([]string{"permit"}, a[1:]...)) }),
		on("<n> deny ...", func(r *reader, l line, a []string) { listEntry(r, l, name, append([]string{"deny"}, a[1:]...)) }))
}

func listEntry(r *reader, l line, name string, words []string) {
	list := r.doc.list(l, name)
	switch {
	case len(words) > 0 && words[0] == "remark":
	case len(words) == 0 || words[0] != "permit" && words[0] != "deny":
		r.problem(l, "an entry begins with permit or deny")
	default:
		if e, ok := r.entry(l, words); ok {
			list.entries = append(list.entries, e)
		}
	}
}

func enterIdentity(r *reader, l line, a []string) {
	id := &cryptoIdentity{at: l}
	r.doc.identities[a[0]] = id
	r.enter("crypto identity",
		on("dn ...", func(_ *reader, _ line, a []string) {
			id.names = append(id.names, subject(strings.Join(a, " ")))
		}),
		on("fqdn <name>", func(_ *reader, _ line, a []string) { id.names = append(id.names, "fqdn:"+a[0]) }))
}

// subject writes parts of a name as an identity has them.
func subject(text string) string {
	var parts []string
	for _, p := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(p, "=")
		parts = append(parts, strings.ToUpper(strings.TrimSpace(name))+"="+strings.TrimSpace(value))
	}
	return "subject:" + strings.Join(parts, ",")
}

func enterTrustpoint(r *reader, _ line, a []string) {
	r.doc.trustpoint = a[0]
	r.enter("trustpoint", on("enrollment ...", ignored), on("subject-name ...", ignored), on("revocation-check ...", ignored), on("rsakeypair ...", ignored),
		on("fqdn ...", ignored), on("serial-number ...", ignored), on("ip-address ...", ignored), on("auto-enroll ...", ignored))
}

func enterInterface(r *reader, _ line, a []string) {
	i := &netInterface{name: a[0]}
	r.doc.interfaces = append(r.doc.interfaces, i)
	r.enter("interface",
		on("ip address <a> <mask>", func(r *reader, l line, a []string) {
			p, err := masked(a[0], a[1], false)
			if err != nil {
				r.problem(l, "%v", err)
				return
			}
			i.address = netip.PrefixFrom(netip.MustParseAddr(a[0]), p.Bits())
		}),
		on("vrf forwarding <name>", func(_ *reader, _ line, a []string) { i.vrf = a[0] }),
		on("ip vrf forwarding <name>", func(_ *reader, _ line, a []string) { i.vrf = a[0] }),
		on("crypto map <map>", func(_ *reader, _ line, a []string) { i.maps = append(i.maps, a[0]) }),
		on("crypto map <map> redundancy <standby> stateful", func(_ *reader, _ line, a []string) { i.maps = append(i.maps, a[0]) }),
		on("ip igmp join-group <a>", func(r *reader, l line, a []string) { i.join(r, l, a[0], netip.Addr{}) }),
		on("ip igmp join-group <a> source <b>", func(r *reader, l line, a []string) { i.join(r, l, a[0], r.address(l, a[1])) }),
		on("ip pim ...", ignored), on("description ...", ignored), on("no shutdown", ignored), on("duplex ...", ignored),
		on("speed ...", ignored), on("standby ...", ignored), on("no ip address", ignored), on("ip mtu <n>", noField))
}

// enterVRF has nothing to say of a VRF but its name, which its interfaces say again.
func enterVRF(r *reader, _ line, _ []string) {
	r.enter("vrf", on("rd ...", ignored), on("route-target ...", ignored), on("description ...", ignored), on("address-family ...", ignored),
		on("exit-address-family", ignored))
}

// join has the interface join a multicast stream by hand.
func (i *netInterface) join(r *reader, l line, group string, source netip.Addr) {
	g := r.address(l, group)
	if g.IsValid() && !g.IsMulticast() {
		r.problem(l, "%s is no multicast address", g)
		return
	}
	if source.IsValid() && (source.IsMulticast() || source.Is4() != g.Is4()) {
		r.problem(l, "%s sends nothing to %s", source, g)
		return
	}
	i.joins = append(i.joins, policy.Stream{Group: g, Interface: i.name, Source: source})
}

// enterTrack has the delays of a tracked object. Only a stub object can follow something that is not of the device's own.
func enterTrack(r *reader, l line, a []string) {
	t := &policy.Track{Number: r.number(l, a[0], 1, mostTracked)}
	if strings.Join(a[1:], " ") == "stub-object" {
		if r.doc.tracks == nil {
			r.doc.tracks = make(map[int]*policy.Track)
		}
		r.doc.tracks[t.Number] = t
	}
	up := func(r *reader, l line, a []string) { t.DelayUp = r.seconds(l, a[0], 0, mostDelayed) }
	down := func(r *reader, l line, a []string) { t.DelayDown = r.seconds(l, a[0], 0, mostDelayed) }
	r.enter("track", on("default-state ...", ignored), on("delay up <s>", up), on("delay down <s>", down),
		on("delay up <s> down <s>", func(r *reader, l line, a []string) { up(r, l, a); down(r, l, a[1:]) }))
}

// mostDelayed is the longest delay of a tracked object, in seconds.
const mostDelayed = 180

// orElse is a duration, or what stands for none.
func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
