package group

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Keys and their SPIs.
var (
	guardReservedSPI = rule.Duty("group.spi.reserved", "RFC4303-2.1-06", rule.KS,
		"the SPI of a Data-Security SA is above 255")
	guardOwnKey = rule.Duty("group.tek.own-key", "RFC6407-3.5-05", rule.KS,
		"every Data-Security SA with a counter mode has a key of its own")
	guardNewCookies = rule.Duty("group.kek.cookies", "RFC6407-4-04", rule.KS,
		"a new Rekey SA has a new cookie pair")
	guardThreeKEKs = rule.Duty("group.kek.3des", "RFC6407-5.3.2.2-01", rule.KS,
		"the three keys of 3DES differ from each other")
	guardKEKLifetime = rule.Timer("group.kek.lifetime", "RFC6407-5.3.4-01", rule.KS, time.Second,
		"the KEK is replaced its margin before its lifetime ends")
)

// Sequence numbers.
var (
	guardSequence = rule.Duty("group.push.sequence", "RFC6407-4.3-01", rule.KS,
		"each PUSH carries the previous sequence number plus one")
	guardSequenceRestart = rule.Duty("group.kek.sequence", "RFC6407-3.2-17", rule.KS,
		"the sequence starts anew with a new KEK")
	guardSequenceGiven = rule.Duty("group.registration.sequence-given", "RFC6407-5.7-03", rule.KS,
		"a registration gives the current sequence number")
	guardSequenceKept = rule.Duty("group.registration.sequence-kept", "RFC6407-3.2-16", rule.KS,
		"a registration does not advance the sequence number")
)

// Sender-IDs and admission.
var (
	guardAuthorised = rule.Check("group.member.authorised", "RFC6407-3.1-03", rule.KS,
		"the candidate is on the list of the group's members")
	guardSIDAfterProof = rule.Duty("group.sid.after-proof", "RFC6407-7.2.5-04", rule.KS,
		"an offer leaves the SID counter alone")
	guardSIDFirst = rule.Duty("group.sid.first", "RFC6407-3.5-08", rule.KS,
		"SIDs are handed out in sequence from 0")
	guardSIDRange = rule.Bound("group.sid.range", "RFC6054-4-04", rule.KS,
		"no SID is beyond the share of the key server")
	guardSIDRangeFirst = rule.Duty("group.sid.range-first", "RFC6054-4-04", rule.KS,
		"no SID is before the share of the key server")
	guardSIDOne = rule.Duty("group.sid.one", "RFC6407-3.5-02", rule.KS,
		"a sender that asked for no SIDs gets exactly one")
	guardSIDUnique = rule.Duty("group.sid.unique", "RFC6407-3.5-03", rule.KS,
		"a SID goes to one member only")
	guardSIDFresh = rule.Duty("group.sid.fresh", "RFC6407-3.5-09", rule.KS,
		"each registration gets newly allocated SIDs")
	guardSIDSpace = rule.Bound("group.sid.space", "RFC6054-4-05", rule.KS,
		"no more SIDs are asked for than there are")
	guardSIDExhausted = rule.Duty("group.sid.exhausted", "RFC6407-3.5-10", rule.KS,
		"when the SIDs are used up, new Data-Security SAs are made before the counter starts again")
	guardSIDDelete = rule.Duty("group.sid.exhausted-delete", "RFC6407-3.5-11", rule.KS,
		"when the SIDs are used up, the members are told to delete all SAs")
)

// Acknowledgements.
var (
	guardAckAsked = rule.Check("group.ack.asked", "RFC8263-5-02", rule.KS,
		"the Rekey SA asked for acknowledgements")
	guardAckMember = rule.Check("group.ack.member", "RFC8263-6-11", rule.KS,
		"the acknowledgement is from a member")
	guardAckSent = rule.Bound("group.ack.sent", "RFC8263-5-05", rule.KS,
		"the acknowledged sequence number has been sent")
	guardAckDuplicate = rule.Check("group.ack.duplicate", "RFC8263-5-03", rule.KS,
		"the acknowledgement has not come before")
	guardAckProven = rule.Check("group.ack.proven", "RFC8263-5-04", rule.KS,
		"the acknowledgement proves knowledge of its key")
	guardAckRecorded = rule.Duty("group.ack.recorded", "RFC8263-5-05", rule.KS,
		"a valid acknowledgement is recorded")
	guardAckWait = rule.Timer("group.ack.wait", "RFC8263-6-05", rule.KS, time.Second,
		"an acknowledgement is missing after the configured interval")
	guardAckExpected = rule.Check("group.ack.expected", "RFC8263-6-01", rule.KS,
		"an acknowledgement is missed of a member that has acknowledged before")
	guardAckMissing = rule.Duty("group.ack.missing", "RFC8263-6-08", rule.KS,
		"a missing acknowledgement is reported")
	guardAckKEKKept = rule.Duty("group.ack.kek-kept", "RFC8263-6-10", rule.KS,
		"a replaced KEK is kept until the members have had time to acknowledge")
)
