package policy

import (
	"net/netip"
	"time"
)

// Router is what a key server of GET VPN has as a router among others. The zero value is one with a single interface, every route and
// hardware enough.
type Router struct {
	Interfaces []Interface    // beside the one that has its address; nobody registers there
	NullRoutes []netip.Prefix // what goes there is dropped
	Engine     CryptoEngine
}

// Interface is where a key server can be reached, too.
type Interface struct {
	Name    string
	Address netip.AddrPort // port 848 unless said
}

// CryptoEngine is how much the hardware can do at once. The zero value stands for any amount.
type CryptoEngine struct {
	Signing       time.Duration // that it takes to sign a rekey
	Registrations int           // that can begin meanwhile; what comes beyond is too much
}

// At is the interface of that address; nil: there is none.
func (r Router) At(a netip.Addr) *Interface {
	for i := range r.Interfaces {
		if r.Interfaces[i].Address.Addr() == a {
			return &r.Interfaces[i]
		}
	}
	return nil
}

// Addresses are those of the interfaces.
func (r Router) Addresses() (all []netip.AddrPort) {
	for _, i := range r.Interfaces {
		all = append(all, i.Address)
	}
	return all
}

// Drops reports whether what goes to an address is dropped.
func (r Router) Drops(a netip.Addr) bool {
	for _, p := range r.NullRoutes {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
