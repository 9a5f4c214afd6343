package esp

import "github.com/gdoilab/gdoilab/reference/rule"

// What a sender owes.
var (
	guardFirst = rule.Duty("esp.seal.first", "RFC4303-2.2-03", rule.GM,
		"the first packet of an SA has sequence number 1")
	guardSequence = rule.Duty("esp.seal.sequence", "RFC4303-2.2-01", rule.GM,
		"the sequence number rises by one with each packet")
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
	guardRandomIV = rule.Duty("esp.seal.iv", "RFC3602-3-01", rule.GM,
		"the IV of CBC is unpredictable")
	guardICVLength = rule.Duty("esp.seal.icv", "RFC4868-2.3-01", rule.GM,
		"the ICV of HMAC-SHA-256-128 has 16 octets")
)

// What a receiver checks.
var (
	guardReplay = rule.Check("esp.open.replay", "RFC4303-3.4.3-04", rule.GM,
		"no sequence number is accepted twice, and 0 never")
	guardWindow = rule.Bound("esp.open.window", "RFC4303-3.4.3-06", rule.GM,
		"a sequence number is not older than the window")
	guardMarkAfter = rule.Duty("esp.open.mark", "RFC4303-3.4.3-08", rule.GM,
		"the window moves only after the packet has been verified")
	guardICV = rule.Check("esp.open.icv", "RFC4303-3.4.4.1-01", rule.GM,
		"the ICV is that of the packet")
	guardTag = rule.Check("esp.open.tag", "RFC4303-3.4.4.2-01", rule.GM,
		"the combined mode authenticates the packet")
	guardPadding = rule.Check("esp.open.padding", "RFC4303-2.4-04", rule.GM,
		"the padding lies within the packet and counts 1, 2, 3, and so on")
)
