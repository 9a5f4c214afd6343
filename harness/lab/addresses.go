package lab

import "net/netip"

// addresses are those that a station has on the WAN: that of its key management first.
func (s Station) addresses() []netip.Addr {
	if s.KS != nil {
		return []netip.Addr{s.KS.Address.Addr()}
	}
	addresses := []netip.Addr{s.GM.Address.Addr()}
	if s.GM.OtherAddress.IsValid() {
		addresses = append(addresses, s.GM.OtherAddress)
	}
	return addresses
}

// Addrs returns all addresses of the peer on the WAN, that of its key management first.
func (p *Peer) Addrs() []netip.Addr { return p.station.addresses() }
