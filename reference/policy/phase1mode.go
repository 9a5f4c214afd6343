package policy

import "github.com/gdoilab/gdoilab/reference/yamldoc"

// ExchangeMode is how Phase 1 is established (RFC 2409 §5).
type ExchangeMode uint8

// The modes. EitherMode is for those who answer; whoever begins needs one.
const (
	MainMode ExchangeMode = iota
	AggressiveMode
	EitherMode
)

// String returns the mode's word in configuration files.
func (m ExchangeMode) String() string {
	name, _ := exchangeModes.Of(m)
	return name
}

// Preference is whose order decides between several transforms that a responder could take.
type Preference uint8

// The preferences: the order of the offer, or that of the responder's own proposals.
const (
	PreferPeer Preference = iota
	PreferOwn
)

var (
	exchangeModes = yamldoc.Names[ExchangeMode]{{"main", MainMode}, {"aggressive", AggressiveMode}, {"either", EitherMode}}
	preferences   = yamldoc.Names[Preference]{{"peer", PreferPeer}, {"own", PreferOwn}}
)
