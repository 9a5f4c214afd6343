package ike

import "github.com/gdoilab/gdoilab/reference/rule"

// Checks of the header.
var (
	checkLength = rule.Check("ike.header.length", "RFC2408-5.1-01", rule.Both,
		"the header's Length is that of the datagram")
	checkVersionAbove = rule.Check("ike.header.version.above", "RFC2408-3.1-02", rule.Both,
		"a version above 1.0 is refused")
	checkVersionBelow = rule.Check("ike.header.version.below", "RFC2408-5.2-03", rule.Both,
		"a version below 1.0 is refused")
	checkFlags = rule.Check("ike.header.flags", "RFC2408-5.2-05", rule.Both,
		"no flag is set that has no meaning in this message")
	checkExchange = rule.Check("ike.header.exchange", "RFC2408-5.2-04", rule.Both,
		"the exchange type is one that is spoken here")
	checkMessageID = rule.Check("ike.header.mid", "RFC2408-5.2-06", rule.Both,
		"the Message ID is zero in Phase 1 and not zero in an Informational")
	checkCookies = rule.Check("ike.header.cookies", "RFC2408-5.2-01", rule.Both,
		"the cookies are those of the exchange; only message 1 lacks the responder's")
)

// Checks of any chain of payloads.
var (
	checkForm = rule.Check("ike.chain.form", "RFC2408-3.3-01", rule.Both,
		"payloads and attributes fill the space that their lengths claim")
	checkEnd = rule.Check("ike.chain.end", "RFC2408-5.2-02", rule.Both,
		"nothing follows the last payload but padding")
	checkReserved = rule.Check("ike.chain.reserved", "RFC2408-5.3-01", rule.Both,
		"the reserved octet of a generic payload header is zero")
	checkReserved2 = rule.Check("ike.transform.reserved2", "RFC2408-2.5.2-02", rule.Both,
		"RESERVED2 of a transform is zero")
	checkBlocks = rule.Check("ike.chain.blocks", "RFC2409-B-05", rule.Both,
		"an encrypted message has whole blocks")
)

// Checks of Main Mode messages.
var (
	checkSameExchange = rule.Check("ike.main.exchange", "RFC2409-5-03", rule.Both,
		"the exchange type stays what it was in message 1")
	checkParty = rule.Check("ike.main.party", "RFC2408-2.5.3-01", rule.Both,
		"a message comes from the address that the exchange began with")
	checkEncrypted = rule.Check("ike.main.encrypted", "RFC2408-3.1-04", rule.Both,
		"messages 5 and 6 are encrypted")
	checkPayload = rule.Check("ike.main.payload", "RFC2408-5.2-02", rule.Both,
		"each payload has a place in the message")
	checkOnce = rule.Check("ike.main.once", "RFC2409-5-07", rule.Both,
		"SA, KE, nonce, ID and HASH come once")
	checkSAFirst = rule.Check("ike.main.sa.first", "RFC2409-5-04", rule.Both,
		"SA is the first payload of messages 1 and 2")
	checkSituation = rule.Check("ike.main.sa.situation", "RFC2408-5.4-01", rule.Both,
		"the situation of the SA payload is that of the own DOI: zero in GDOI")
	checkPeer = rule.Check("ike.main.peer", "RFC2409-5.4-01", rule.Both,
		"there is a pre-shared key for the peer's address")
	checkKELength = rule.Check("ike.main.ke.length", "RFC2409-5-05", rule.Both,
		"the public value has the full length of the group")
	checkKEValue = rule.Check("ike.main.ke.value", "RFC2409-5-05", rule.Both,
		"the public value lies in the group and gives a secret")
	boundNonceMin = rule.Bound("ike.main.nonce.min", "RFC2409-5-06", rule.Both,
		"a nonce has at least 8 octets")
	boundNonceMax = rule.Bound("ike.main.nonce.max", "RFC2409-5-06", rule.Both,
		"a nonce has at most 256 octets")
	checkIDType = rule.Check("ike.main.id.type", "RFC2408-5.8-01", rule.Both,
		"the identity is of a type that names one peer, and as long as its type demands")
	checkIDPort = rule.Check("ike.main.id.port", "RFC2407-4.6.2-01", rule.Both,
		"protocol and port of the identity are 0/0, or UDP and a key management port")
	checkHash = rule.Check("ike.main.hash", "RFC2408-5.11-01", rule.Both,
		"HASH_I and HASH_R verify")
)

// Checks of the offer, by the responder.
var (
	checkOfferDOI = rule.Check("ike.offer.doi", "RFC6407-2.1-02", rule.KS,
		"the offer has the DOI of GDOI")
	checkOfferProposal = rule.Check("ike.offer.proposal", "RFC2409-5-07", rule.KS,
		"the offer is one proposal, with as many transforms as it announces")
	boundOfferSPI = rule.Bound("ike.offer.spi", "RFC2408-3.5-02", rule.KS,
		"the SPI of the proposal has at most 16 octets")
	checkTransformID = rule.Check("ike.offer.transform", "RFC2408-5.6-01", rule.KS,
		"a transform other than KEY_IKE is passed over")
	checkNegotiated = rule.Check("ike.offer.complete", "RFC2409-4-02", rule.KS,
		"a transform without cipher, hash, method or group is passed over")
	checkBasic = rule.Check("ike.offer.basic", "RFC2409-A-01", rule.KS,
		"a transform with a Basic attribute in Variable form is passed over")
	checkKeyLength = rule.Check("ike.offer.keylength", "RFC2409-A-03", rule.KS,
		"a transform for a cipher of several key lengths that names none is passed over")
	checkFixedLength = rule.Check("ike.offer.fixed", "RFC2409-A-03", rule.KS,
		"a transform for a cipher of one key length that names one is passed over")
	checkGroupAttributes = rule.Check("ike.offer.group", "RFC2409-4-04", rule.KS,
		"a transform that describes its group in more than one way is passed over")
	checkAcceptable = rule.Check("ike.offer.acceptable", "RFC2408-5.4-02", rule.KS,
		"a transform is chosen only if all it asks for is in the table")
)

// Checks of the reply, by the initiator.
var (
	checkReplyDOI = rule.Check("ike.reply.doi", "RFC2408-5.4-01", rule.GM,
		"the reply has the DOI of the offer")
	checkReplyOne = rule.Check("ike.reply.one", "RFC2409-5-08", rule.GM,
		"the reply has one proposal with one transform")
	checkReplyUnchanged = rule.Check("ike.reply.unchanged", "RFC2409-5-10", rule.GM,
		"the transform of the reply is one of the offer, attributes unchanged")
)

// Checks of exchanges under an SA.
var (
	checkPullVersion = rule.Check("ike.pull.version", "RFC6407-3.2.1-02", rule.Both,
		"the version of a PULL message is 1.0")
	checkPullEncrypted = rule.Check("ike.pull.encrypted", "RFC6407-2-01", rule.Both,
		"a PULL message is encrypted")
	checkPullMessageID = rule.Check("ike.pull.mid", "RFC6407-3.2.1-04", rule.Both,
		"the Message ID of a PULL is not zero and stays the same")
	checkInfoProtected = rule.Check("ike.info.protected", "RFC2408-4.8-01", rule.Both,
		"an Informational about an established SA is encrypted")
	checkInfoHash = rule.Check("ike.info.hash", "RFC2409-5.7-01", rule.Both,
		"HASH(1) of an Informational comes first and verifies")
	checkDeleteSPI = rule.Check("ike.info.delete", "RFC2408-3.15-02", rule.Both,
		"a Delete ends the ISAKMP SA only if it names its cookies")
)
