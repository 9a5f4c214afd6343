package lab

import (
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// NATAddr is the address on the WAN of the NAT that nodes may be behind.
var NATAddr = netip.MustParseAddr("192.0.2.254")

// NATName is the name of the NAT: of its namespace, and of the node that sends what comes through it.
const NATName = "nat"

// NATLink is the name of the link between nodes and their NAT in a capture. What crosses the WAN has the NAT's address there.
const NATLink = capture.LinkNAT

// natFirst is the first port that a NAT hands out: none that a node uses itself, so that every mapping shows.
const natFirst = 40000

// natForwarded are the ports on which a NAT hands on what comes for a key server behind it: those of key management, and that of
// IKE, which foreign peers use.
var natForwarded = []uint16{Port, natt.Port, 500}

// NAT is a masquerading NAT for UDP over IPv4, between nodes and the WAN: everything that they send leaves with its address and
// a port of its own choice, another for each peer, and only that peer's packets come in there (RFC 4787 §4 and §5 call that
// address and port-dependent). To a key server behind it everybody's packets come in on the ports of key management. Other
// packets do not pass.
type NAT interface {
	// Hides reports whether a node of that address is behind the NAT.
	Hides(a netip.Addr) bool
	// Expire has mappings end when nothing was sent through them for so long; 0 means not as long as a spec takes.
	Expire(after time.Duration) error
	// Forget ends all mappings, as a restart does: what is sent next gets other ports.
	Forget() error
}

// hidden are the addresses of a plan's nodes behind the NAT.
type hidden []netip.Addr

func (p Plan) hidden() hidden {
	var h hidden
	if p.HideKeyServer {
		h = append(h, KeyServerAddr)
	}
	for _, i := range p.NAT {
		h = append(h, MemberAddr(i))
	}
	return h
}

// Hides reports whether a node of that address is behind the NAT.
func (h hidden) Hides(a netip.Addr) bool { return slices.Contains(h, a) }

// keyServerFor is where member i finds the key server: at the NAT if only that one is behind it.
func (s Setup) keyServerFor(i int) netip.Addr {
	if s.HideKeyServer && !slices.Contains(s.NAT, i) {
		return NATAddr
	}
	return s.Family.KeyServerAddress()
}

// natt reports whether a station takes part in NAT traversal, and so listens on port 4500 too.
func (s Station) natt() bool {
	if s.KS != nil {
		return s.KS.Phase1.NATTraversal
	}
	return s.GM.Phase1.NATTraversal
}

// listens reports whether a station takes key management on a port.
func (s *Station) listens(port uint16) bool { return port == Port || port == natt.Port && s.natt() }
