package ike

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Duties in every message.
var (
	dutyVersion = rule.Duty("ike.send.version", "RFC2408-3.1-01", rule.Both,
		"the version is 1.0")
	dutyFlags = rule.Duty("ike.send.flags", "RFC2408-3.1-03", rule.Both,
		"flag bits without a meaning are zero")
	dutyReserved = rule.Duty("ike.send.reserved", "RFC2408-2.5.2-01", rule.Both,
		"reserved octets are zero")
	dutyCookieOrder = rule.Duty("ike.send.cookies", "RFC2409-4-01", rule.Both,
		"the cookie of the Phase 1 initiator comes first, whoever sends")
	dutyWhole = rule.Duty("ike.send.whole", "RFC2409-3.2-01", rule.Both,
		"encryption begins right behind the header")
	dutyPadded = rule.Duty("ike.send.padded", "RFC2409-B-05", rule.Both,
		"Length counts the padding")
	dutyIVChain = rule.Duty("ike.iv.chain", "RFC2409-B-03", rule.Both,
		"the IV of a message is the last ciphertext block of the one before")
	dutyIVCommit = rule.Duty("ike.iv.commit", "RFC2409-10-01", rule.Both,
		"the running IV moves on only after the message proved sane")
)

// Duties in Main Mode.
var (
	dutyCookie = rule.Duty("ike.main.cookie", "RFC2408-2.5.3-02", rule.Both,
		"every exchange has a cookie of its own")
	dutyMessageID = rule.Duty("ike.main.mid", "RFC2408-3.1-05", rule.Both,
		"the Message ID is zero")
	dutyEncryption = rule.Duty("ike.main.encryption", "RFC2408-3.1-04", rule.Both,
		"messages 5 and 6 leave encrypted")
	dutySAFirst = rule.Duty("ike.main.sa.leads", "RFC2409-5-04", rule.Both,
		"SA is the first payload of messages 1 and 2")
	dutySANext = rule.Duty("ike.main.sa.next", "RFC2408-3.4-01", rule.Both,
		"Next Payload of SA names neither Proposal nor Transform")
	dutyKELength = rule.Duty("ike.main.ke.full", "RFC2409-5-05", rule.Both,
		"the public value is sent in the full length of the group")
	dutyNonceLength = rule.Duty("ike.main.nonce.length", "RFC2409-5-06", rule.Both,
		"the nonce has 8 to 256 octets")
	dutyNonceFresh = rule.Duty("ike.main.nonce.fresh", "RFC2408-5.13-01", rule.Both,
		"every nonce is random")
	dutyKeys = rule.Duty("ike.main.keys", "RFC2409-5-11", rule.Both,
		"SKEYID is derived from the initiator's nonce, then the responder's")
	dutyExpand = rule.Duty("ike.main.expand", "RFC2409-B-01", rule.Both,
		"a cipher key that is longer than SKEYID_e is expanded from it")
	dutyFirstIV = rule.Duty("ike.main.iv", "RFC2409-B-02", rule.Both,
		"the first IV is made from both public values")
	dutyIDPort = rule.Duty("ike.main.id.sent", "RFC2407-4.6.2-01", rule.Both,
		"protocol and port of the own identity are zero")
	dutyHashID = rule.Duty("ike.main.hash.id", "RFC2409-5-12", rule.Both,
		"the HASH covers the identity")
	dutyHashSA = rule.Duty("ike.main.hash.sa", "RFC2409-5-13", rule.Both,
		"the HASH covers the initiator's whole SA body")
)

// Duties of the initiator's offer.
var (
	dutyOfferDOI = rule.Duty("ike.offer.gdoi", "RFC6407-2.1-01", rule.GM,
		"the offer has the DOI of GDOI")
	dutyOfferOne = rule.Duty("ike.offer.one", "RFC2409-5-07", rule.GM,
		"all transforms are in one proposal")
	dutyOfferComplete = rule.Duty("ike.offer.negotiates", "RFC2409-4-02", rule.GM,
		"each transform names cipher, hash, method and group")
	dutyOfferBasic = rule.Duty("ike.offer.form", "RFC2409-A-01", rule.GM,
		"Basic attributes are sent in Basic form")
	dutyOfferBits = rule.Duty("ike.offer.bits", "RFC2409-A-03", rule.GM,
		"Key Length counts bits")
	dutyOfferFixed = rule.Duty("ike.offer.bare", "RFC2409-A-03", rule.GM,
		"a cipher of one key length is offered without Key Length")
	dutyOfferGroup = rule.Duty("ike.offer.described", "RFC2409-4-04", rule.GM,
		"a group is described by its number alone")
)

// Duties of the responder's reply.
var (
	dutyReplyDOI = rule.Duty("ike.reply.gdoi", "RFC6407-2.1-02", rule.KS,
		"the reply has the DOI of GDOI")
	dutyReplyOne = rule.Duty("ike.reply.single", "RFC2409-5-08", rule.KS,
		"the reply has exactly one transform")
	dutyReplyUnchanged = rule.Duty("ike.reply.same", "RFC2409-5-09", rule.KS,
		"the chosen transform returns unchanged")
)

// Duties of the initiator, who repeats a message until it is answered.
var (
	timerRetransmit = rule.Timer("ike.retransmit.first", "RFC2408-5.1-03", rule.GM, 500*time.Millisecond,
		"an unanswered message is repeated after the configured time")
	boundRetries = rule.Bound("ike.retransmit.count", "RFC2408-5.1-03", rule.GM,
		"a message is repeated no more often than configured")
	dutyBackOff = rule.Duty("ike.retransmit.backoff", "RFC2408-5.1-04", rule.GM,
		"the interval grows with each copy and follows the measured round trip")
	dutySameCopy = rule.Duty("ike.retransmit.same", "RFC2408-5.1-05", rule.GM,
		"a copy is the same datagram")
)

// Duties in exchanges under an SA.
var (
	dutyPullCookies = rule.Duty("ike.pull.cookies", "RFC6407-3.2.1-01", rule.Both,
		"PULL messages carry the Phase 1 cookies, initiator's first")
	dutyPullVersion = rule.Duty("ike.pull.send.version", "RFC6407-3.2.1-02", rule.Both,
		"the version of PULL messages is 1.0")
	dutyPullExchange = rule.Duty("ike.pull.exchange", "RFC6407-3.2.1-03", rule.Both,
		"PULL messages have exchange type 32")
	dutyPullEncrypted = rule.Duty("ike.pull.encryption", "RFC6407-3.2.1-04", rule.Both,
		"PULL messages leave encrypted")
	dutyVendorID = rule.Duty("ike.stream.vid", "RFC2408-3.16-01", rule.Both,
		"no Vendor ID is sent after Phase 1")
	dutyStreamID = rule.Duty("ike.stream.mid", "RFC2408-3.1-06", rule.Both,
		"the Message ID of a new exchange is random")
	dutyStreamIV = rule.Duty("ike.stream.iv", "RFC2409-B-04", rule.Both,
		"the first IV of an exchange is the hash of Phase 1's last block and the Message ID")
	dutyInfoProtected = rule.Duty("ike.info.encryption", "RFC2408-4.8-01", rule.Both,
		"an Informational under an SA leaves encrypted")
	dutyInfoHash = rule.Duty("ike.info.hash.mid", "RFC2409-5.7-01", rule.Both,
		"HASH(1) of an Informational covers its Message ID")
	dutyInfoMessageID = rule.Duty("ike.info.mid", "RFC2409-5.7-02", rule.Both,
		"an Informational has a Message ID of its own")
	dutyInfoClear = rule.Duty("ike.info.clear", "RFC2409-5.7-03", rule.KS,
		"an Informational before there are keys has no HASH")
	dutyNotifyForm = rule.Duty("ike.info.notify", "RFC2408-3.14-01", rule.Both,
		"a notification has DOI, protocol, SPI size and type in their places")
	dutyDeleteSPI = rule.Duty("ike.info.delete.spi", "RFC2408-3.15-02", rule.Both,
		"a Delete of the ISAKMP SA names its cookie pair")
)
