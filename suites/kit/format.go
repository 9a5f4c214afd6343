package kit

import (
	"fmt"
	"net/netip"

	"github.com/onsi/gomega/format"
)

// Failures show addresses as everybody writes them: inside they are handles, of which Gomega would print the pointers.
func init() {
	format.RegisterCustomFormatter(formatAddress)
}

func formatAddress(value any) (string, bool) {
	switch value.(type) {
	case netip.Addr, netip.Prefix, netip.AddrPort:
		return fmt.Sprint(value), true
	}
	return "", false
}
