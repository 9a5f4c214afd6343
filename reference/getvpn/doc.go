// Package getvpn has what belongs to the vendor profile Cisco GET VPN as a whole (policy.ProfileGETVPN): the messages by which a device
// tells its operator what happens.
//
// A Message is a name with a facility, a severity and words with places for values; Event makes a line of it:
//
//	k.emit(getvpn.Event(getvpn.KSRegsCompl, getvpn.Field("gm_addr", from), getvpn.Field("group", "G1")))
//
// fixtures/syslog-getvpn.yaml says what makes a device tell each, which words are those of devices and which are ours; a test holds that
// the two agree.
package getvpn
