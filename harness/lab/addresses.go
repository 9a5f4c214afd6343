package lab

import "net/netip"

// addresses are those that a station has on the WAN: that of its key management first.
func (s Station) addresses() []netip.Addr {
	if s.KS != nil {
		addresses := []netip.Addr{s.KS.Address.Addr()}
		for _, also := range s.KS.Router.Addresses() {
			addresses = append(addresses, also.Addr())
		}
		return addresses
	}
	addresses := []netip.Addr{s.GM.Address.Addr()}
	if s.GM.OtherAddress.IsValid() {
		addresses = append(addresses, s.GM.OtherAddress)
	}
	return addresses
}

// Addrs returns all addresses of the peer on the WAN, that of its key management first.
func (p *Peer) Addrs() []netip.Addr { return p.station.addresses() }
