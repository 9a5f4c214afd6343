package ah

import (
	"encoding/binary"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// replayWindow is that of members that have one.
const replayWindow = 64

// inTunnel is AH in tunnel mode with both addresses preserved.
func inTunnel(t policy.Transform) policy.Transform {
	t.Mode, t.Preservation, t.Direction = policy.ModeTunnel, policy.PreserveBoth, policy.DirectionSymmetric
	return t
}

// sha256 is AH with HMAC-SHA-256-128 in tunnel mode.
var sha256 = inTunnel(policy.Transform{Protocol: policy.ProtocolAH, Integrity: policy.IntegrityHMACSHA256})

// using has the group use a transform.
func using(t policy.Transform) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].Transform = t }
}

func windowed(_ int, m *policy.Member) { m.ReplayWindow = replayWindow }

// scene is a device with a host behind it, another host that never answers, and the group's key in the tester's hands.
type scene struct {
	*lab.Lab
	ctx    SpecContext
	keys   *tester.AHKeys
	probes int
}

// device has the key server and the device run, and the device be registered. The other member does not run.
func device(ctx SpecContext) *scene {
	GinkgoHelper()
	s := &scene{Lab: kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Group: using(sha256), Member: windowed}), ctx: ctx}
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	kit.NeedsKeys(s.Lab)
	for _, k := range s.Keys() {
		if k.Kind == keylog.KindAH {
			var err error
			s.keys, err = tester.NewAHKeys(k)
			kit.Precondition(err, "the tester has the group's key")
		}
	}
	kit.Reached(s.keys != nil, "somebody tells the group's key")
	return s
}

// inward makes a packet to the host behind the device, which takes no notice of it, with contents that no other has.
func (s *scene) inward() lab.IPv4 {
	s.probes++
	icmp := fmt.Appendf(make([]byte, 8), "mark%04d", s.probes)
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: lab.HostAddr(2), Destination: lab.HostAddr(1), Protocol: 1, TTL: 64, Payload: icmp}
}

// arrives puts a packet on the WAN and reports whether the inner one reaches the host.
func (s *scene) arrives(inner lab.IPv4, packet []byte) bool {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	s.Inject(s.GM[1].Name(), packet)
	return s.Wait(s.ctx, kit.Settle, func() bool {
		return slices.ContainsFunc(s.Frames()[since:], func(f frame) bool {
			ip, ok := lab.ParseIPv4(f.Packet)
			return ok && f.Link == lab.LANName(1) && string(ip.Payload) == string(inner.Payload)
		})
	})
}

// sent are the packets of AH that crossed the WAN since the mark.
func sent(l *lab.Lab, since kit.Mark) (all []lab.Packet) {
	for _, f := range kit.WANSince(l, since) {
		if ip, ok := lab.Parse(f.Packet); ok && ip.Protocol == tester.ProtocolAH {
			all = append(all, ip)
		}
	}
	return all
}

// spiOf is the SPI of a packet of AH.
func spiOf(p lab.Packet) string {
	if len(p.Payload) < 8 {
		return ""
	}
	return kit.SPI(binary.BigEndian.Uint32(p.Payload[4:]))
}
