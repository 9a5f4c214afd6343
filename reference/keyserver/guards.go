package keyserver

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What any datagram has to satisfy.
var (
	guardShort = rule.Check("keyserver.datagram.header", "RFC2408-5.1-01", rule.KS,
		"a datagram has an ISAKMP header")
	guardCookies = rule.Check("keyserver.datagram.cookies", "RFC6407-7.2.4-01", rule.KS,
		"the cookies are those of a live session")
	guardExchange = rule.Check("keyserver.datagram.exchange", "RFC2408-5.2-04", rule.KS,
		"the exchange type is one that can be used under these cookies")
)

var guardRandom = rule.Duty("keyserver.random", "RFC6407-7.5-01", rule.KS,
	"keys, nonces and cookies come from a source that does not begin again when the key server does")

// How much is kept for peers that have proven nothing yet.
var (
	guardHalfOpen = rule.Bound("keyserver.half-open.total", "RFC6407-7.2.5-02", rule.KS,
		"no more Phase 1 exchanges are in progress than the limit says; beyond it the oldest gives way")
	guardPerAddress = rule.Bound("keyserver.half-open.address", "RFC6407-7.2.5-02", rule.KS,
		"no more Phase 1 exchanges with one address are in progress than the limit says; beyond it the oldest gives way")
	guardEstablished = rule.Bound("keyserver.established", "RFC6407-7.2.5-02", rule.KS,
		"no more Phase 1 SAs of one peer are kept than the limit says; beyond it the oldest gives way")
)

// GROUPKEY-PULL, messages 1 and 3.
var (
	guardPhase1 = rule.Check("keyserver.pull.phase1", "RFC6407-2-01", rule.KS,
		"a PULL is served under an established Phase 1 SA")
	guardRepeat = rule.Check("keyserver.pull.repeat", "RFC6407-7.2.5-01", rule.KS,
		"message 1 of a finished PULL is not taken again")
	guardFit = rule.Check("keyserver.pull.state", "RFC6407-7.2.4-02", rule.KS,
		"no further message is taken in a finished PULL")
	guardForm1 = rule.Check("keyserver.pull1.form", "RFC6407-3.2-01", rule.KS,
		"message 1 is HASH, Ni, ID")
	guardHash1 = rule.Check("keyserver.pull1.hash", "RFC6407-3.4-01", rule.KS,
		"HASH(1) verifies")
	guardNonceMin = rule.Bound("keyserver.pull1.nonce-min", "RFC6407-5.8-01", rule.KS,
		"Ni has at least 8 octets")
	guardNonceMax = rule.Bound("keyserver.pull1.nonce-max", "RFC6407-5.8-01", rule.KS,
		"Ni has at most 128 octets")
	guardIDType = rule.Check("keyserver.pull1.id-type", "RFC6407-5.1-02", rule.KS,
		"the group is named by an ID of type KEY_ID")
	guardIDLength = rule.Check("keyserver.pull1.id-length", "RFC6407-5.1-03", rule.KS,
		"the group identifier has 4 octets")
	guardGroup = rule.Check("keyserver.pull1.group", "RFC6407-3.4-01", rule.KS,
		"the group exists")
	guardIdentity = rule.Duty("keyserver.pull1.identity", "RFC6407-3.1-04", rule.KS,
		"the identity proven in Phase 1 decides about admission")
	guardRecorded = rule.Duty("keyserver.pull3.identity", "RFC6407-3.1-04", rule.KS,
		"a member is known by the identity proven in Phase 1, also where others have its address")
	guardForm3 = rule.Check("keyserver.pull3.form", "RFC6407-3.2-01", rule.KS,
		"message 3 is HASH and at most a GAP")
	guardHash3 = rule.Check("keyserver.pull3.hash", "RFC6407-3.4-03", rule.KS,
		"HASH(3) verifies")
)

// GROUPKEY-PULL, messages 2 and 4.
var (
	guardDeferred = rule.Duty("keyserver.pull.deferred", "RFC6407-3.2-08", rule.KS,
		"nobody is recorded before message 3 has verified")
	guardFreshNonce = rule.Duty("keyserver.pull2.nonce", "RFC2408-5.13-01", rule.KS,
		"Nr is random and new")
	guardHash2 = rule.Duty("keyserver.pull2.hash", "RFC6407-3.2-03", rule.KS,
		"HASH(2) covers Ni_b")
	guardHash4 = rule.Duty("keyserver.pull4.hash", "RFC6407-3.2-05", rule.KS,
		"HASH(4) covers Ni_b and Nr_b")
	guardSEQ4 = rule.Duty("keyserver.pull4.seq", "RFC6407-3.2-13", rule.KS,
		"message 4 has a SEQ if the SA had a SAK")
)

// GROUPKEY-PUSH.
var (
	guardPushCookies = rule.Duty("keyserver.push.cookies", "RFC6407-4.2-01", rule.KS,
		"the cookies are the SPI of the Rekey SA")
	guardPushExchange = rule.Duty("keyserver.push.exchange", "RFC6407-4.2-02", rule.KS,
		"the exchange type is 33")
	guardPushE = rule.Duty("keyserver.push.flag-e", "RFC6407-4.2-03", rule.KS,
		"the E flag is set")
	guardPushFlags = rule.Duty("keyserver.push.flags", "RFC6407-4.2-04", rule.KS,
		"all flags but E are clear")
	guardPushMessageID = rule.Duty("keyserver.push.message-id", "RFC6407-4.2-05", rule.KS,
		"the Message ID is 0")
	guardPushLength = rule.Duty("keyserver.push.length", "RFC6407-4.2-06", rule.KS,
		"Length is that of the whole datagram")
	guardPushOrder = rule.Duty("keyserver.push.order", "RFC6407-4-01", rule.KS,
		"SEQ is the first payload")
	guardPushSIG = rule.Duty("keyserver.push.sig", "RFC6407-4-02", rule.KS,
		"the signature covers the label, the header and all payloads before it")
	guardPushRSA = rule.Duty("keyserver.push.rsa", "RFC6407-5.3.6.1-01", rule.KS,
		"an RSA signature is made over a DigestInfo, unless the group is configured otherwise")
	guardPushEncrypted = rule.Duty("keyserver.push.encrypted", "RFC6407-4-03", rule.KS,
		"everything after the header is encrypted")
	guardPushKEK = rule.Duty("keyserver.push.kek", "RFC6407-4.3-04", rule.KS,
		"a PUSH that brings a new KEK is encrypted with the old one")
	guardPushSAK = rule.Duty("keyserver.push.sak", "RFC6407-4.3-03", rule.KS,
		"a SAK is included when the KEK changes")
	guardPushNoSID = rule.Duty("keyserver.push.no-sid", "RFC6407-5.6.4.4-02", rule.KS,
		"a PUSH has no SID packet")
	guardDeleteOnly = rule.Duty("keyserver.push.delete-only", "RFC6407-5.9-02", rule.KS,
		"SA and KD are left out when there is nothing to send")
	guardDeleteDOI = rule.Duty("keyserver.push.delete-doi", "RFC6407-5.9-03", rule.KS,
		"the DOI of a Delete is GDOI")
	guardDeleteTEK = rule.Duty("keyserver.push.delete-tek", "RFC6407-5.9-04", rule.KS,
		"a Delete of ESP SAs has Protocol-ID 1")
	guardDeleteKEK = rule.Duty("keyserver.push.delete-kek", "RFC6407-5.9-05", rule.KS,
		"a Delete of the Rekey SA has Protocol-ID 0")
	guardDeleteApart = rule.Duty("keyserver.push.delete-apart", "RFC6407-5.9-06", rule.KS,
		"SPIs of ESP SAs and of the Rekey SA are in different Delete payloads")
	guardDeleteAll = rule.Duty("keyserver.push.delete-all", "RFC6407-5.9-08", rule.KS,
		"to delete everything, ESP SAs and the Rekey SA are deleted with SPI 0")
)

// guardPushECDSA are the duties to sign with r and s one after another, each as long as the field.
var guardPushECDSA = map[policy.SigAlgorithm]*rule.Guard{
	policy.SigECDSA256: rule.Duty("keyserver.push.ecdsa256", "RFC6407-5.3.6.4-01", rule.KS,
		"an ECDSA-256 signature is r and s of 32 octets each"),
	policy.SigECDSA384: rule.Duty("keyserver.push.ecdsa384", "RFC6407-5.3.6.5-01", rule.KS,
		"an ECDSA-384 signature is r and s of 48 octets each"),
	policy.SigECDSA521: rule.Duty("keyserver.push.ecdsa521", "RFC6407-5.3.6.6-01", rule.KS,
		"an ECDSA-521 signature is r and s of 66 octets each"),
}

// GROUPKEY-PUSH-ACK.
var (
	guardAckLength = rule.Check("keyserver.ack.length", "RFC2408-5.1-01", rule.KS,
		"Length is that of the datagram")
	guardAckVersion = rule.Check("keyserver.ack.version", "RFC2408-5.2-03", rule.KS,
		"the version is 1.0")
	guardAckFlags = rule.Check("keyserver.ack.flags", "RFC2408-5.2-05", rule.KS,
		"no flag is set")
	guardAckMessageID = rule.Check("keyserver.ack.message-id", "RFC2408-5.2-06", rule.KS,
		"the Message ID is 0")
	guardAckForm = rule.Check("keyserver.ack.form", "RFC8263-5-04", rule.KS,
		"an acknowledgement is HASH, SEQ, ID")
	guardAckReserved = rule.Check("keyserver.ack.reserved", "RFC2408-5.3-01", rule.KS,
		"the reserved octets are 0")
	guardAckLKH = rule.Duty("keyserver.ack.lkh", "RFC8263-2.2-01", rule.KS,
		"with LKH an acknowledgement is checked with the member's own key")
	guardAckSHA512 = rule.Duty("keyserver.ack.sha512", "RFC8263-2.3-01", rule.KS,
		"HASH of an acknowledgement with SHA-512 is checked with SHA-512")
	guardAckID = rule.Check("keyserver.ack.id", "RFC2408-5.8-01", rule.KS,
		"the ID is an address")
)
