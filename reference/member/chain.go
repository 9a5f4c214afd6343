package member

import (
	"strings"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// isChain reports whether a message has exactly these payloads in this order.
func isChain(ps []isakmp.Decoded, want ...isakmp.PayloadType) bool {
	if len(ps) != len(want) {
		return false
	}
	for i := range ps {
		if ps[i].Payload.Type() != want[i] {
			return false
		}
	}
	return true
}

// chainText names the payloads of a message, for a refusal.
func chainText(ps []isakmp.Decoded) string {
	names := make([]string, len(ps))
	for i := range ps {
		names[i] = ps[i].Payload.Type().String()
	}
	return strings.Join(names, ", ")
}
