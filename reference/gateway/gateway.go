package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
	"github.com/gdoilab/gdoilab/reference/wire/metadata"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// Config is what a gateway needs to know about its node.
type Config struct {
	UDP          bool      // its node has port 4500, for ESP in UDP (RFC 3948)
	ReplayWindow int       // packets; 0 switches replay protection off, as multi-sender SAs need (RFC 4303 §3.4.3)
	First        uint64    // sequence number of each SA; 0 means 1
	Rand         io.Reader // IVs of CBC
	// Rollover is how long before an older SA ends a newer one takes over from it, where no activation delay says; 0: at once.
	Rollover time.Duration
	policy.DataPath

	Address   netip.Addr   // its own: key management to and from it is never protected; source of its ICMP errors
	Addresses []netip.Addr // further ones; of each IP version the first counts, and without any the outside lacks it
	MTU       int          // of the outside link; 0 means 1500
	FailOpen  bool         // without an SA, protected traffic passes in clear
	Profile   policy.Profile
	FailClose policy.FailClose // of GET VPN
	Inside    []netip.Prefix   // networks behind it: only they are told of packets that are too big; empty: anybody

	Metadata   policy.Metadata // how packets carry a pseudotime, where SAs ask for it
	Forwarding bool            // the gateway forwards by itself and so decrements the TTL; false: a kernel around it does
	ForwardESP bool            // ESP without an SA is forwarded untouched, for a gateway further inside (RFC 5374 §5.2)
	Rules      *rule.Switches
}

const defaultMTU = 1500

// Gateway is the data path. It is not safe for concurrent use.
type Gateway struct {
	rules      *rule.Switches
	db         sadb.DB
	generation uint64      // of the last Install of any group
	fragments  reassembler // of ESP, from outside
	inside     reassembler // of packets for transport mode
	paths      map[pathKey]path
	groups     []*Group
	addresses  [2]netip.Addr // its own of IPv4 and of IPv6
	cfg        Config
	errors     bucket // limits ICMP
	id         uint32 // of the last outer header
	counts     counters
	bare       int // packets since the last dummy
	watched    *watched

	// Buffers of one packet, kept so that the next one needs none.
	sealed, opened, hopped, concealed, stamped, arrived []byte
}

type counters struct{ encrypted, decrypted, bypassed, dropped uint64 }

// Emit takes a packet that is to leave by that side. Its octets are valid during the call only.
type Emit = func(to core.Side, packet []byte)

// New makes a gateway of no group.
func New(cfg Config) *Gateway {
	if cfg.MTU == 0 {
		cfg.MTU = defaultMTU
	}
	if cfg.PMTUAge == 0 {
		cfg.PMTUAge = defaultPMTUAge
	}
	if cfg.Metadata.Protocol == 0 {
		cfg.Metadata.Protocol = metadata.Protocol
	}
	if cfg.Metadata.Length == 0 {
		cfg.Metadata.Length = metadata.ShortStampLen
	}
	g := &Gateway{cfg: cfg, rules: cfg.Rules, db: *sadb.New(cfg.Rules)}
	for _, a := range append([]netip.Addr{cfg.Address}, cfg.Addresses...) {
		if own := &g.addresses[version(a.Unmap().Is6())]; a.IsValid() && !own.IsValid() {
			*own = a.Unmap()
		}
	}
	return g
}

// Handle takes one IP packet that arrived from a side and emits what becomes of it: nothing, one packet, or several if
// it has to be fragmented. It allocates nothing for packets that are in order and whole.
//
// The error is a *rule.Violation when a requirement refused the packet; it names addresses, SPI and sequence number where
// there are any. Otherwise it wraps ErrMalformed, ErrNoPeer, ErrNoAddress, or an error of Config.Rand or of the SA. In every
// case the packet was dropped and counted. A packet that is too big, a dummy packet and a fragment that waits for its siblings
// are no errors. What IPv6 nodes tell each other on a link is nothing to a gateway: it is neither forwarded nor counted.
func (g *Gateway) Handle(now time.Time, from core.Side, data []byte, emit Emit) error {
	var p packet
	err := p.parse(data)
	switch {
	case err != nil:
	case from == core.Inside:
		err = g.outbound(now, &p, emit)
	default:
		err = g.inbound(now, &p, emit)
	}
	if err != nil {
		g.counts.dropped++
	}
	return err
}

// Counters returns the packets encrypted, decrypted, bypassed and dropped so far.
func (g *Gateway) Counters() map[string]uint64 {
	c := g.counts
	return map[string]uint64{"encrypted": c.encrypted, "decrypted": c.decrypted, "bypassed": c.bypassed, "dropped": c.dropped}
}

// bypass forwards a packet in clear.
func (g *Gateway) bypass(p *packet, to core.Side, emit Emit) error {
	b, err := g.hop(p, true)
	if err != nil {
		return err
	}
	g.counts.bypassed++
	if p.gathered && to == core.Inside {
		return g.apart(b, emit)
	}
	emit(to, b)
	return nil
}

// hop is what forwarding does to a packet: it returns a copy with a smaller TTL, or the packet itself if a kernel around
// the gateway forwards (RFC 4301 §5.1.2.1).
func (g *Gateway) hop(p *packet, decrement bool) ([]byte, error) {
	if !g.cfg.Forwarding {
		return p.bytes, nil
	}
	if err := g.lives(p); err != nil {
		return nil, err
	}
	g.hopped = append(g.hopped[:0], p.bytes...)
	if decrement && p.bytes[p.ttlAt()] > 0 {
		p.lowerTTL(g.hopped)
	}
	return g.hopped, nil
}

// lives refuses a packet whose TTL does not reach beyond this gateway.
func (g *Gateway) lives(p *packet) error {
	if ttl := p.bytes[p.ttlAt()]; !guardTTL.Holds(g.rules, ttl > 1) {
		return guardTTL.Violated("TTL %d of %v ends here", ttl, p.flow)
	}
	return nil
}

// keyManagement reports whether the flow is key management of the gateway itself, whose address is that end, which passes
// in clear in both directions (RFC 4301 §5.2): GDOI, and IKE through NAT.
func (g *Gateway) keyManagement(f *sadb.Flow, end netip.Addr) bool {
	return f.Protocol == protocolUDP && end == g.own(end.Is6()) &&
		(keyManagementPort(f.SourcePort) || keyManagementPort(f.DestinationPort)) &&
		guardKeyManagement.Kept(g.rules)
}

const (
	portGDOI = 848
	portNATT = natt.Port
)

func keyManagementPort(port uint16) bool { return port == portGDOI || port == portNATT }

// Hears reports whether the node may take a datagram that came in clear to its own socket. It may, since that is key
// management.
func (g *Gateway) Hears(from, to netip.AddrPort) bool {
	return guardKeyManagement.Kept(g.rules) || !g.failsClose() && !g.Protects(sadb.Flow{Source: from.Addr(), Destination: to.Addr(),
		Protocol: protocolUDP, SourcePort: from.Port(), DestinationPort: to.Port()})
}

// refused finds the violation inside an error of an SA and adds the addresses to it, so that the report is complete
// (RFC 4303 §3.4.2 to §3.4.4).
func refused(err error, f sadb.Flow) error {
	var v *rule.Violation
	if !errors.As(err, &v) {
		return fmt.Errorf("gateway: %v: %w", f, err)
	}
	v.Detail += fmt.Sprintf(" (%s -> %s)", f.Source, f.Destination)
	return v
}
