package gateway

import (
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What is sent against traffic analysis, where the configuration asks for it (RFC 4303 §2.6, §2.7).
var (
	guardMakesDummies = rule.Duty("gateway.tfc.dummy", "RFC4303-2.6-02", rule.GM,
		"dummy packets are sent when the configuration says so")
	guardPaddedLength = rule.Duty("gateway.tfc.length", "RFC4303-2.7-01", rule.GM,
		"padding against traffic analysis leaves the length of the inner packet as it is")
)

// conceals reports whether an SA's packets can be padded and hidden among dummies: ESP can, AH hides nothing.
func (x *parcel) conceals() bool { return x.entry.Policy.Transform.Protocol != policy.ProtocolAH }

// padded returns an inner packet with octets behind it, up to a multiple of what the configuration says but no more than the path
// carries. In transport mode there is no inner length that would tell them from the rest (RFC 4303 §2.7).
func (g *Gateway) padded(x *parcel, inner []byte) []byte {
	unit := g.cfg.TFC.PadTo
	if unit == 0 || transports(x.entry) || !x.conceals() {
		return inner
	}
	n := min((len(inner)+unit-1)/unit*unit, x.room())
	if n <= len(inner) {
		return inner
	}
	g.concealed = append(append(g.concealed[:0], inner...), make([]byte, n-len(inner))...)
	if !guardPaddedLength.Kept(g.rules) {
		finish(g.concealed)
	}
	return g.concealed
}

// hide sends a dummy packet behind every so many that were protected: as long as the one before it, under its SA and to its
// destination, where it is dropped (RFC 4303 §2.6).
func (g *Gateway) hide(x *parcel, length int, emit Emit) error {
	if g.cfg.TFC.DummyAfter == 0 || !x.conceals() {
		return nil
	}
	if g.bare++; g.bare < g.cfg.TFC.DummyAfter || !guardMakesDummies.Kept(g.rules) {
		return nil
	}
	g.bare = 0
	head := g.sealed[:0]
	if transports(x.entry) {
		head = appendRouted(head, x.bytes[:x.routedLen], x.routedNextAt, protocolOf(x.entry))
	} else {
		head = g.appendOuter(head, x)
	}
	g.concealed = append(g.concealed[:0], make([]byte, max(0, x.entry.SA.MaxPayload(length-len(head)-udpLenOf(x.entry))))...)
	outer, err := g.seal(x, head, g.concealed, esp.NextNone)
	if err != nil {
		return err
	}
	emit(core.Outside, outer)
	return nil
}
