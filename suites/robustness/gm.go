package robustness

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Floods at a group member (RFC 6407 §7.2.5)", kit.Subject("robustness"), kit.DUT(rule.GM), func() {
	It("takes the right rekey after many whose SIG is wrong", kit.Requirement("RFC6407-4.4-03"), kit.Negative, func(ctx SpecContext) {
		const forged = 100
		l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, Signature: policy.SigRSA, Group: kit.Acknowledging})
		since := kit.Now(l)
		var right []byte
		l.Intercept(func(c *lab.Crossing) {
			if pushTo(c.Packet, l.GM[0].Addr().Addr()) {
				right, c.Drop = c.Packet, true
			}
		})
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return right != nil }), "the key server sends a PUSH")
		l.Intercept(nil)
		for n := range forged {
			l.Inject(l.KS.Name(), spoilt(right, n))
		}
		l.Pass(ctx, time.Second)
		Expect(kit.Taken(ctx, l, 1, since)).To(BeEmpty(), "none of them is taken")
		kit.ExpectRefused(ctx, l.GM[0], "RFC6407-4.4-03", BeNumerically(">=", forged), "each is refused for its SIG")

		l.Inject(l.KS.Name(), right)
		kit.Control(kit.Takes(ctx, l, 1, rekey), "the message as it was sent is taken")
	})

	It("goes on to carry the group's traffic among packets of unknown SAs", kit.Requirement("RFC4303-3.4.2-01"), kit.Negative,
		func(ctx SpecContext) {
			const packets = 500
			l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true})
			before := kit.Installed(ctx, l, 1)
			for n := range uint32(packets) {
				esp := make([]byte, 96)
				binary.BigEndian.PutUint32(esp, 0x0c0ffee0+n)
				binary.BigEndian.PutUint32(esp[4:], n+1)
				packet, err := lab.ESPPacket(l.Hosts[1].Addr(), l.Hosts[0].Addr(), esp)
				kit.Precondition(err, "the tester makes a packet")
				l.Inject(l.GM[1].Name(), packet)
			}
			l.Pass(ctx, time.Second)
			Expect(kit.Installed(ctx, l, 1)).To(ConsistOf(before), "it has the SAs that it had")
			kit.Ping(ctx, l, 2, 1, 3) // to a window, some repeat the numbers by which that was seen
			result := kit.Ping(ctx, l, 2, 1, 3)
			kit.Control(result.Received == 3, "packets of the group's SA are delivered")
		})
})

// pushTo reports whether a packet is a PUSH to that address.
func pushTo(packet []byte, to netip.Addr) bool {
	ip, ok := lab.ParseIPv4(packet)
	if !ok || ip.Destination != to {
		return false
	}
	_, _, data, ok := ip.UDP()
	h, err := isakmp.ParseHeader(data)
	return ok && err == nil && h.Exchange == isakmp.ExchangePush
}

// spoilt changes an octet of the SIG of a PUSH, another one for each number.
func spoilt(packet []byte, n int) []byte {
	GinkgoHelper()
	ip, _ := lab.ParseIPv4(packet)
	from, to, data, _ := ip.UDP()
	data = slices.Clone(data)
	data[len(data)-40-n%100] ^= byte(1 + n/100)
	altered, err := lab.UDPPacket(from, to, 64, data)
	kit.Precondition(err, "the tester makes a packet")
	return altered
}
