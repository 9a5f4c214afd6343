package iosconfig

import (
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// enterGroup has the commands of a group that key servers and members have, and those of members.
func enterGroup(r *reader, l line, a []string) {
	g := r.doc.group(l, a[0])
	r.enter("gdoi group",
		on("identity number <n>", func(r *reader, l line, a []string) { r.identify(l, g, uint32(r.number(l, a[0], 1, 2147483647))) }),
		on("identity address ipv4 <a>", func(r *reader, l line, a []string) {
			if addr := r.address(l, a[0]); addr.Is4() {
				o := addr.As4()
				r.identify(l, g, uint32(o[0])<<24|uint32(o[1])<<16|uint32(o[2])<<8|uint32(o[3]))
			}
		}),
		on("server local", func(r *reader, l line, _ []string) { enterLocal(r, l, g) }),
		on("server address ipv4 <a>", func(_ *reader, l line, a []string) { g.servers = append(g.servers, server{l, a[0]}) }),
		on("passive", func(*reader, line, []string) { g.passive = true }),
		on("client registration interface <if>", func(_ *reader, _ line, a []string) { g.registration = a[0] }),
		on("client fail-close revert", func(*reader, line, []string) { g.revert = true }),
		on("client protocol gdoi", ignored),
		on("client protocol gikev2 <profile>", noField), on("client rekey encryption ...", func(r *reader, l line, a []string) {
			for len(a) > 0 {
				g.client.Ciphers = append(g.client.Ciphers, r.kek(l, a))
				if _, rest := aesBits(a[1:]); a[0] == "aes" {
					a = rest
				} else {
					a = a[1:]
				}
			}
		}),
		on("client rekey hash ...", func(r *reader, l line, a []string) {
			for _, h := range a {
				g.client.Hashes = append(g.client.Hashes, known(r, l, sigHashes, h))
			}
		}),
		on("client transform-sets ...", func(_ *reader, l line, a []string) { g.sets, g.setsAt = a, l }), on("client status active-sa track <n>", func(r *reader, l line, a []string) {
			g.track = r.number(l, a[0], 1, mostTracked)
		}),
		on("client pfs", noField), on("no client pfs", ignored))
}

// mostTracked is the highest number of a tracked object.
const mostTracked = 1000

// mostServers is how many key servers a member may have.
const mostServers = 8

// identify gives a group its identity, which is one.
func (r *reader) identify(l line, g *gdoiGroup, number uint32) {
	if g.identity {
		r.problem(l, "the group %s has an identity already", g.name)
		return
	}
	g.number, g.identity = number, true
}

// enterLocal has the commands of a group of a key server.
func enterLocal(r *reader, l line, g *gdoiGroup) {
	s := &localServer{at: l}
	s.rekey.KEK = policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}
	s.rekey.Ack = policy.AckKEKSHA256
	g.local = s
	address := func(r *reader, l line, a []string) { s.address, s.addressAt = r.address(l, a[0]), l }
	signed := func(_ *reader, l line, a []string) { s.signed, s.signedAt = a[0], l }
	r.enter("local server",
		on("address ipv4 <a>", address), on("address <a>", address),
		on("rekey algorithm ...", func(r *reader, l line, a []string) { s.rekey.KEK = r.kek(l, a) }),
		on("rekey sig-hash algorithm <h>", func(r *reader, l line, a []string) { s.rekey.SigHash = known(r, l, sigHashes, a[0]) }),
		on("rekey lifetime seconds <s>", func(r *reader, l line, a []string) { s.rekey.KEKLifetime = r.seconds(l, a[0], 300, 2592000) }),
		on("rekey lifetime days <d>", func(r *reader, l line, a []string) { s.rekey.KEKLifetime = r.days(l, a[0]) }),
		on("rekey retransmit <s> number <n>", func(r *reader, l line, a []string) {
			s.rekey.Interval, s.rekey.Retransmit, s.rekey.Reminders = r.seconds(l, a[0], 10, 60), r.number(l, a[1], 1, 10), false
		}),
		on("rekey retransmit <s>", func(r *reader, l line, a []string) {
			s.rekey.Interval, s.rekey.Retransmit, s.rekey.Reminders = r.seconds(l, a[0], 10, 60), 2, false
		}),
		on("rekey retransmit <s> periodic", func(r *reader, l line, a []string) {
			s.rekey.Interval, s.rekey.Retransmit, s.rekey.Reminders = r.seconds(l, a[0], 10, 60), 0, true
		}),
		on("no rekey retransmit", func(*reader, line, []string) { s.rekey.Interval, s.rekey.Retransmit, s.rekey.Reminders = 0, 0, false }),
		on("rekey authentication mypubkey rsa <label>", signed), on("rekey authentication pubkey rsa <label>", signed),
		on("rekey address ipv4 <acl>", func(_ *reader, l line, a []string) { s.rekeyACL, s.rekeyACLAt = a[0], l }),
		on("rekey transport unicast", func(*reader, line, []string) { s.unicast = true }),
		on("no rekey transport unicast", func(*reader, line, []string) { s.unicast = false }),
		on("rekey acknowledgement <kind>", func(r *reader, l line, a []string) { s.rekey.Ack = known(r, l, acknowledgements, a[0]) }),
		on("authorization address ipv4 <acl>", func(_ *reader, l line, a []string) { s.authAddress, s.authAt = a[0], l }),
		on("authorization identity <name>", func(_ *reader, l line, a []string) { s.authIdentity, s.authAt = a[0], l }),
		on("registration interface <if>", noField),
		on("sa receive-only", func(*reader, line, []string) { s.receiveOnly = true }),
		on("no sa receive-only", func(*reader, line, []string) { s.receiveOnly = false }),
		on("sa ipsec <seq>", func(r *reader, l line, a []string) { enterSA(r, l, s, a[0]) }),
		on("redundancy", enterRedundancy), on("gikev2 <profile>", noField), on("pfs", noField), on("no pfs", ignored),
		on("identifier", func(r *reader, _ line, _ []string) { enterIdentifier(r, s) }))
}

// kek reads the cipher of a KEK.
func (r *reader) kek(l line, words []string) policy.KEKTransform {
	switch words = append(words, ""); words[0] {
	case "aes":
		bits, _ := aesBits(words[1:])
		return policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: bits}
	case "3des-cbc":
		return policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}
	}
	r.problem(l, "the cipher %q is not known here; take aes with 128, 192 or 256, or 3des-cbc", strings.Join(words[:len(words)-1], " "))
	return policy.KEKTransform{}
}

func enterSA(r *reader, l line, s *localServer, seq string) {
	sa := &saIPsec{at: l, seq: r.number(l, seq, 1, 32767)}
	s.sas = append(s.sas, sa)
	r.enter("sa ipsec",
		on("profile <name>", func(_ *reader, _ line, a []string) { sa.profile = a[0] }),
		on("match address ipv4 <acl>", func(_ *reader, _ line, a []string) { sa.acl = a[0] }),
		on("match address ipv6 <acl>", noField),
		on("replay counter window-size <n>", func(r *reader, l line, a []string) {
			sa.replay = policy.AntiReplay{Method: policy.ReplayCounter, Counter: r.window(l, a[0])}
		}),
		on("replay time window-size <s>", func(r *reader, l line, a []string) {
			sa.replay = policy.AntiReplay{Method: policy.ReplayTime, Window: r.seconds(l, a[0], 1, 100)}
		}),
		on("no replay", func(*reader, line, []string) { sa.replay = policy.AntiReplay{Method: policy.ReplayNone} }),
		on("tag cts sgt", func(*reader, line, []string) { sa.tag = true }),
		on("no tag", func(*reader, line, []string) { sa.tag = false }), on("no tag cts sgt", func(*reader, line, []string) { sa.tag = false }))
}

// leastWindow is the smallest window over sequence numbers that a receiver may have (RFC 4303 §3.4.3).
const leastWindow = 32

// window reads the size of one. A smaller one, as the guide has it in an example, is as good as the smallest.
func (r *reader) window(l line, text string) int {
	n := r.number(l, text, 1, 1024)
	if n < leastWindow {
		r.warn(l, "a window of %d packets is smaller than any receiver may have; it is one of %d", n, leastWindow)
	}
	return max(n, leastWindow)
}

// enterRedundancy takes what only key servers have that serve a group together.
func enterRedundancy(r *reader, l line, a []string) {
	noField(r, l, a)
	r.enter("redundancy", on("local priority <n>", ignored), on("peer address ipv4 <a>", ignored), on("protocol ...", ignored))
}

// enterIdentifier has the Sender-IDs that members may get.
func enterIdentifier(r *reader, s *localServer) {
	set := func(r *reader, l line, first, last string) {
		s.sids = policy.SIDRange{First: uint32(r.number(l, first, 0, 65535)), Last: uint32(r.number(l, last, 0, 65535))}
	}
	r.enter("identifier", on("value <n>", func(r *reader, l line, a []string) { set(r, l, a[0], a[0]) }),
		on("range <a> - <b>", func(r *reader, l line, a []string) { set(r, l, a[0], a[1]) }))
}

func enterMap(r *reader, l line, a []string) {
	m := &cryptoMap{at: l, name: a[0], seq: r.number(l, a[1], 1, 65535)}
	r.doc.maps = append(r.doc.maps, m)
	r.enter("crypto map", on("set group <g>", func(_ *reader, _ line, a []string) { m.group = a[0] }),
		on("match address <acl>", func(_ *reader, l line, a []string) { m.acl, m.aclAt = a[0], l }))
}

func enterFailClose(r *reader, l line, a []string) {
	f := &failClose{at: l}
	r.doc.failClose[a[0]] = f
	r.enter("fail-close", on("match address <acl>", func(_ *reader, _ line, a []string) { f.acl = a[0] }),
		on("activate", func(*reader, line, []string) { f.activate = true }))
}
