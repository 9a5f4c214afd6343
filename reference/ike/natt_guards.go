package ike

import "github.com/gdoilab/gdoilab/reference/rule"

// Duties of NAT traversal.
var (
	dutyNATVendor = rule.Duty("ike.natt.vendor", "RFC3947-3.1-01", rule.Both,
		"who supports NAT traversal says so in the first message")
	dutyNATAnnounced = rule.Duty("ike.natt.announced", "RFC3947-3.1-01", rule.Both,
		"a peer that has not announced NAT traversal gets no NAT-D")
	dutyNATD = rule.Duty("ike.natt.natd", "RFC3947-3.2-02", rule.Both,
		"messages 3 and 4, or 2 and 3 of Aggressive Mode, have a NAT-D for each end")
	dutyNATDHash = rule.Duty("ike.natt.hash", "RFC3947-3.2-01", rule.Both,
		"NAT-D is made of the port in use")
	dutyNATDOrder = rule.Duty("ike.natt.order", "RFC3947-3.2-01", rule.Both,
		"the first NAT-D is of the remote end")
	dutyFloat = rule.Duty("ike.natt.float", "RFC3947-4-01", rule.GM,
		"an initiator that finds a NAT goes on with its next message from port 4500 to port 4500")
	dutyStay = rule.Duty("ike.natt.stay", "RFC3947-4-02", rule.Both,
		"all that follows the change of ports is sent from port 4500")
	dutyIDPortNATT = rule.Duty("ike.natt.id", "RFC3947-4-07", rule.Both,
		"the port of the identity is zero with NAT traversal")
	dutyMarker = rule.Duty("ike.natt.marker", "RFC3947-4-03", rule.Both,
		"on port 4500 a marker stands in front of a message")
	dutyMarkerLength = rule.Duty("ike.natt.length", "RFC3948-2.2-01", rule.Both,
		"Length does not count the marker")
	dutyQuiet = rule.Duty("ike.natt.quiet", "RFC3948-2.3-02", rule.Both,
		"keepalives are ignored")
	dutyKeepaliveForm = rule.Duty("ike.natt.keepalive", "RFC3948-2.3-01", rule.Both,
		"a keepalive is one octet")
)

// Checks of NAT traversal.
var (
	checkMarker = rule.Check("ike.natt.unmarked", "RFC3947-4-03", rule.Both,
		"what comes to port 4500 without a marker is no key management")
	checkFormer = rule.Check("ike.natt.former", "RFC3947-4-06", rule.KS,
		"a message of Phase 1 to the former port is discarded after the change")
)
