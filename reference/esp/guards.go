package esp

import "github.com/gdoilab/gdoilab/reference/rule"

// What a sender owes.
var (
	guardFirst = rule.Duty("esp.seal.first", "RFC4303-2.2-03", rule.GM,
		"the first packet of an SA has sequence number 1")
	guardSequence = rule.Duty("esp.seal.sequence", "RFC4303-2.2-01", rule.GM,
		"the sequence number rises by one with each packet")
	guardCycle = rule.Check("esp.seal.cycle", "RFC4303-3.3.3-01", rule.GM,
		"with replay protection, sending stops before the sequence number would cycle")
	guardESN = rule.Duty("esp.seal.esn", "RFC4303-2.2.1-02", rule.GM,
		"sequence numbers have 64 bits if key management says so, and else 32")
	guardPadContents = rule.Duty("esp.seal.padding", "RFC4303-2.4-03", rule.GM,
		"padding octets are 1, 2, 3, and so on")
	guardOwnSID = rule.Duty("esp.seal.sid", "RFC6054-5-01", rule.GM,
		"a counter mode sends with the SID that was allocated to the member")
	guardLeftmost = rule.Duty("esp.seal.leftmost", "RFC6054-3-01", rule.GM,
		"the SID stands in the leftmost bits of the IV")
	guardSSIV = rule.Duty("esp.seal.ssiv", "RFC6054-3-03", rule.GM,
		"each packet has another SSIV")
	guardSpace = rule.Check("esp.seal.space", "RFC6407-5.6.4.3-02", rule.GM,
		"sending stops when every SSIV has been used")
	guardAAD = rule.Duty("esp.seal.aad", "RFC4106-5-01", rule.GM,
		"SPI and sequence number are authenticated with the packet")
	guardGMACIV = rule.Duty("esp.seal.gmac", "RFC4543-3.3-01", rule.GM,
		"GMAC covers the IV")
	guardRandomIV = rule.Duty("esp.seal.iv", "RFC3602-3-01", rule.GM,
		"the IV of AES-CBC is unpredictable")
	guardRandomIV3DES = rule.Duty("esp.seal.iv3des", "RFC2451-2.1-01", rule.GM,
		"the IV of 3DES-CBC is unpredictable")
	guardICVLength = rule.Duty("esp.seal.icv", "RFC4868-2.3-01", rule.GM,
		"the ICV of HMAC-SHA-2 is the first half of its output")
	guardICVLengthSHA1 = rule.Duty("esp.seal.icvsha1", "RFC2404-2-01", rule.GM,
		"the ICV of HMAC-SHA-1-96 has 12 octets")
	guardICVLengthGCM = rule.Duty("esp.seal.icvgcm", "RFC4106-6-03", rule.GM,
		"the ICV of AES-GCM has the length of its transform")
	guardICVLengthGMAC = rule.Duty("esp.seal.icvgmac", "RFC4543-3.4-01", rule.GM,
		"the ICV of GMAC has 16 octets")
)

// What a receiver checks.
var (
	guardReplay = rule.Check("esp.open.replay", "RFC4303-3.4.3-04", rule.GM,
		"no sequence number is accepted twice, and 0 never")
	guardWindow = rule.Bound("esp.open.window", "RFC4303-3.4.3-06", rule.GM,
		"a sequence number is not older than the window")
	guardMarkAfter = rule.Duty("esp.open.mark", "RFC4303-3.4.3-08", rule.GM,
		"the window moves only after the packet has been verified")
	guardHigh = rule.Duty("esp.open.high", "RFC4303-A2-01", rule.GM,
		"the upper half of an extended sequence number is found from the window")
	guardResync = rule.Duty("esp.open.resync", "RFC4303-A2-01", rule.GM,
		"after the loss of 2^32 packets the upper half of an extended sequence number is found again")
	guardResyncFailures = rule.Bound("esp.open.resyncfailures", "RFC4303-A2-01", rule.GM,
		"higher upper halves are tried after so many packets in a row that are not authentic")
	guardResyncCycles = rule.Bound("esp.open.resynccycles", "RFC4303-A2-01", rule.GM,
		"no more higher upper halves are tried than the configuration says")
	guardICV = rule.Check("esp.open.icv", "RFC4303-3.4.4.1-01", rule.GM,
		"the ICV is that of the packet")
	guardTag = rule.Check("esp.open.tag", "RFC4303-3.4.4.2-01", rule.GM,
		"the combined mode authenticates the packet")
	guardPadding = rule.Check("esp.open.padding", "RFC4303-2.4-04", rule.GM,
		"the padding lies within the packet and counts 1, 2, 3, and so on")
)
