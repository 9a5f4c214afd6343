package policy

import "github.com/gdoilab/gdoilab/reference/yamldoc"

// Profile is whose rules a node follows where RFC 6407 leaves the choice to the vendor: when rekeys are due, how long replaced keys
// live, what is protected against repetition, how events are told.
type Profile uint8

// The profiles.
const (
	ProfileRFC6407 Profile = iota // the RFC alone
	ProfileGETVPN                 // Cisco GET VPN
)

var profiles = yamldoc.Names[Profile]{{"rfc6407", ProfileRFC6407}, {"getvpn", ProfileGETVPN}}

// String returns the profile's word in configuration files.
func (p Profile) String() string {
	name, _ := profiles.Of(p)
	return name
}
