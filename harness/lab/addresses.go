package lab

import "net/netip"

// addresses are all that a station has on the WAN, that of its key management first.
func (s Station) addresses() []netip.Addr {
	addresses := []netip.Addr{s.addr()}
	if s.GM != nil && s.GM.OtherAddress.IsValid() {
		addresses = append(addresses, s.GM.OtherAddress)
	}
	return addresses
}

// Addrs returns all addresses of the peer on the WAN, that of its key management first.
func (p *Peer) Addrs() []netip.Addr { return p.station.addresses() }
