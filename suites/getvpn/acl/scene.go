package acl

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What becomes of a packet of a host.
const (
	inClear   = "in clear"
	protected = "protected"
	dropped   = "dropped"
)

// The protocols of test packets.
const (
	tcp   = 6
	udp   = 17
	eigrp = 88
	ospf  = 89
)

var anywhere = netip.MustParsePrefix("0.0.0.0/0")

// permit and deny are entries for a protocol between two networks.
func permit(protocol uint8, source, destination netip.Prefix) policy.ACE {
	return policy.ACE{Selector: policy.Selector{Source: source, Destination: destination, Protocol: protocol}}
}

func deny(protocol uint8, source, destination netip.Prefix) policy.ACE {
	e := permit(protocol, source, destination)
	e.Deny = true
	return e
}

// ports are those of an entry; 0 is any.
func ports(e policy.ACE, source, destination uint16) policy.ACE {
	e.Selector.SourcePort, e.Selector.DestinationPort = source, destination
	return e
}

// host is the host behind member i as a network.
func host(i int) netip.Prefix { return netip.PrefixFrom(lab.HostAddr(i), 32) }

// scene is a key server with members of profile getvpn, each with a host behind it.
type scene struct {
	*lab.Lab
	ctx context.Context
}

// setup is a group with that access list, and a first member with one of its own.
func setup(members int, group []policy.ACE, own ...policy.ACE) lab.Setup {
	return lab.Setup{Members: members, Hosts: true, Profile: policy.ProfileGETVPN,
		Group: func(g *policy.Group) {
			g.SAs[0].AccessList, g.SAs[0].Selector = group, policy.Selector{}
		},
		Member: func(i int, c *policy.Member) {
			if i == 1 {
				c.AccessList = own
			}
		},
	}
}

func up(ctx context.Context, s lab.Setup) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, s), ctx}
}

// packet is one of a protocol from the host behind member i to that behind member j, with ports where the protocol has them.
func packet(protocol uint8, i, j int, sport, dport uint16) []byte {
	body := make([]byte, 24)
	body[0], body[1], body[2], body[3] = byte(sport>>8), byte(sport), byte(dport>>8), byte(dport)
	if protocol == udp {
		body[5] = byte(len(body))
	}
	return lab.IPv4{Source: lab.HostAddr(i), Destination: lab.HostAddr(j), Protocol: protocol, Payload: body}.Bytes()
}

// fate sends a packet from the host behind member i and says how it leaves.
func (s *scene) fate(i int, p []byte) string {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	kit.Precondition(s.Hosts[i-1].Send(p), "the host sends a packet")
	sent, _ := lab.Parse(p)
	left := dropped
	s.Wait(s.ctx, kit.Settle, func() bool {
		for _, f := range kit.WANSince(s.Lab, since) {
			ip, ok := lab.Parse(f.Packet)
			if !ok || ip.Source != sent.Source {
				continue
			}
			if _, _, esp := ip.SPI(); esp {
				left = protected
			} else if ip.Protocol == sent.Protocol {
				left = inClear
			}
		}
		return left != dropped
	})
	return left
}

// arrives reports whether a packet from the host behind member i, which is known to leave in clear, comes to the LAN of member j.
func (s *scene) arrives(i, j int, p []byte) bool {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	s.Inject(lab.MemberName(i), p)
	sent, _ := lab.Parse(p)
	return s.Wait(s.ctx, kit.Settle, func() bool {
		for _, f := range s.Frames()[since:] {
			if ip, ok := lab.Parse(f.Packet); ok && f.Link == lab.LANName(j) && ip.Source == sent.Source && ip.Protocol == sent.Protocol {
				return true
			}
		}
		return false
	})
}

// offers are the SATs of a member's registration: each protocol and source as they stand.
func (s *scene) offers() (protocols, sources []string) {
	GinkgoHelper()
	m := kit.Last(kit.MessagesSince(s.Lab, 0, core.Pull2.String()))
	kit.Reached(m.Kind != "", "the member is offered the group's policy")
	for _, sat := range sats(m) {
		for _, f := range sat.Children {
			switch f.Name {
			case "Protocol-ID":
				protocols = append(protocols, f.Value)
			case "Source":
				sources = append(sources, f.Value)
			}
		}
	}
	return protocols, sources
}

func sats(m capture.Message) (all []capture.Field) {
	for _, sa := range m.Payloads {
		for _, f := range sa.Children {
			if sa.Name == "SA" && f.Name == "SAT" {
				all = append(all, f)
			}
		}
	}
	return all
}
