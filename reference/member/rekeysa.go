package member

import (
	"crypto"
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardKEKLifetime = rule.Timer("member.kek.lifetime", "RFC6407-5.3.4-01", rule.GM, 10*time.Second,
		"a KEK serves until KEK_KEY_LIFETIME after it came, and no longer")
	guardJoin = rule.Duty("member.multicast.join", "RFC6407-5.3-13", rule.GM,
		"a member joins the multicast group that a SAK names as the destination of PUSH messages")
	guardLeave = rule.Duty("member.multicast.leave", "RFC6407-4-05", rule.GM,
		"a member leaves the multicast group of a Rekey SA that it no longer has")
	guardStay = rule.Duty("member.multicast.stay", "RFC6407-5.3-04", rule.GM,
		"a member stays in a multicast group as long as one of its groups sends PUSH messages there")
	guardSigner = rule.Duty("member.kek.signer", "RFC6407-5.6.2.2-01", rule.GM,
		"what comes under a KEK is verified with the public key that came with it")
	guardRestart = rule.Duty("member.kek.sequence", "RFC6407-3.2-17", rule.GM,
		"the sequence number starts anew with a new KEK")
)

// rekeySA is the Rekey SA in force, with the highest sequence number that it has seen.
type rekeySA struct {
	expiry time.Time        // zero: never
	renew  time.Time        // when to register again if no other has come; zero: not for its sake
	kek    keymat.Decrypter // under Key and IV; none if one of them has a wrong length
	last   uint32
	cipher keymat.Cipher
	scheme keymat.PushScheme
	signer crypto.PublicKey // nil if PublicKey cannot be read
	name   string           // the SPI as text
	policy.RekeySA
}

// group is the multicast group that PUSH comes to; not valid if it comes to the member's own address.
func (sa *rekeySA) group() netip.Addr {
	if sa == nil || !sa.Destination.Addr().IsMulticast() {
		return netip.Addr{}
	}
	return sa.Destination.Addr()
}

// newRekeySA makes the Rekey SA of a SAK. The number is that of the PULL, or 0 if the SAK came by PUSH: then the first
// message under it has 1 (RFC 6407 §3.2). A SAK that is in force already keeps its number, unless the new one is higher.
func (m *membership) newRekeySA(now time.Time, r policy.RekeySA, number uint32) *rekeySA {
	if r.SigAlgorithm == policy.SigRSA {
		r.SigForm = m.cfg.Rekey.SignatureForm
	}
	sa := &rekeySA{RekeySA: r, cipher: gdoimap.CipherOf(r), scheme: gdoimap.SchemeOf(r), last: number, name: r.SPI.String()}
	sa.kek, _ = sa.cipher.Decrypter(r.Key, r.IV)
	sa.signer, _ = keymat.ParsePublicKey(r.PublicKey)
	if r.Lifetime > 0 {
		sa.expiry = now.Add(max(guardKEKLifetime.Delay(m.rules, r.Lifetime), leastWait))
	}
	m.watch(now, sa)
	if m.rekey == nil {
		return sa
	}
	if !guardSigner.Kept(m.rules) {
		sa.signer = m.rekey.signer
	}
	if m.rekey.SPI == r.SPI && guardStale.Kept(m.rules) || !guardRestart.Kept(m.rules) {
		sa.last = max(sa.last, m.rekey.last)
	}
	return sa
}

// setRekey replaces the Rekey SA (RFC 6407 §4); nil leaves the member without.
func (m *membership) setRekey(sa *rekeySA) {
	before, after := m.rekey.group(), sa.group()
	if before != after && before.IsValid() && !m.othersHear(before) && guardLeave.Kept(m.rules) {
		m.emit(&core.Leave{Stream: core.Stream{Group: before}})
	}
	if before != after && after.IsValid() && !m.othersHear(after) && guardJoin.Kept(m.rules) {
		m.emit(&core.Join{Stream: core.Stream{Group: after}})
	}
	if m.rekey != nil && (sa == nil || sa.SPI != m.rekey.SPI) {
		m.replaced = m.rekey.SPI
	}
	m.rekey, m.kekGone = sa, time.Time{}
}

// othersHear reports whether the PUSH messages of another group come to that multicast group.
func (m *membership) othersHear(address netip.Addr) bool {
	return slices.ContainsFunc(m.groups, func(other *membership) bool {
		return other != m && other.rekey.group() == address && guardStay.Kept(m.rules)
	})
}

// recentPushes remembers the last PUSH messages that were accepted, by digest. The zero value is ready for use.
type recentPushes struct {
	next    int
	firsts  [8]byte // octets of the digests: the rest is looked at only where one is the same
	digests [8][sha256.Size]byte
}

func (r *recentPushes) add(digest [sha256.Size]byte) {
	at := r.next % len(r.digests)
	r.digests[at], r.firsts[at] = digest, digest[0]
	r.next++
}

func (r *recentPushes) has(digest [sha256.Size]byte) bool {
	for i := range min(r.next, len(r.digests)) {
		if r.firsts[i] == digest[0] && r.digests[i] == digest {
			return true
		}
	}
	return false
}
