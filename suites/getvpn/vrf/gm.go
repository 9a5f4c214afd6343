package vrf

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// setup is a network of two members with a host each, who send under a new SA a second after they have it.
func setup() lab.Setup {
	return lab.Setup{Profile: policy.ProfileGETVPN, Members: 2, Hosts: true,
		Group:  func(g *policy.Group) { g.Activation.ATD = new(time.Second) },
		Member: func(i int, c *policy.Member) { kit.Hurry(i, c, 200*time.Millisecond, 200*time.Millisecond) }}
}

// both has a device register in two VRFs.
func both(ctx context.Context) (red, blue *lab.Lab) {
	GinkgoHelper()
	labs := kit.VRFs(ctx, setup(), "red", "blue")
	Expect(lab.UpVRFs(ctx, labs)).To(Succeed(), "it registers in each VRF with the key server there")
	return labs[0], labs[1]
}

// crossed is what hosts have sent, protected or in clear, over the WAN of a VRF since the mark.
func crossed(l *lab.Lab, since kit.Mark) int {
	return len(kit.ESPSince(l, since)) + len(kit.ClearSince(l, since))
}

// came is how many packets the host behind gm1 was sent since the mark.
func came(l *lab.Lab, since kit.Mark) (count int) {
	for _, f := range l.Frames()[since:] {
		if ip, ok := lab.Parse(f.Packet); ok && f.Link == lab.LANName(1) && ip.Destination == lab.HostAddr(1) {
			count++
		}
	}
	return count
}

// isPush reports whether a packet is a PUSH to that member.
func isPush(packet []byte, to *lab.Peer) bool {
	ip, _ := lab.Parse(packet)
	_, at, data, ok := ip.UDP()
	h, err := isakmp.ParseHeader(data)
	return ok && at == to.Addr() && err == nil && h.Exchange == isakmp.ExchangePush
}

var _ = Describe("A member of GET VPN in a VRF", kit.Subject("vrf"), kit.DUT(rule.GM), func() {
	It("registers there, protects what its hosts send, and shows the VRF with the group", kit.Requirement("GETVPN-VRF-01"), func(ctx SpecContext) {
		one, usual := setup(), setup().Member
		one.Member = func(i int, c *policy.Member) {
			if usual(i, c); i == 1 {
				c.VRF = "red"
			}
		}
		l := kit.Lab(ctx, one)
		Expect(l.Up(ctx)).To(Succeed())
		Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "its host is answered")
		Expect(kit.SendingSPI(ctx, l, 1, 2)).NotTo(BeZero(), "under an SA")
		answer, err := l.GM[0].Console(ctx, "show crypto gdoi")
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Text).To(MatchRegexp(`vrf:\s*red\b`))
	})
})

var _ = Describe("A member of GET VPN in two VRFs with the same addresses", kit.Subject("vrf"), kit.DUT(rule.GM), func() {
	It("sends what comes from hosts of a VRF under the SA of the group there, and nowhere else", kit.Requirement("GETVPN-VRF-02"), kit.Negative, func(ctx SpecContext) {
		red, blue := both(ctx)
		for _, c := range []struct{ here, elsewhere *lab.Lab }{{red, blue}, {blue, red}} {
			since, others := kit.Now(c.here), kit.Now(c.elsewhere)
			answered := kit.Ping(ctx, c.here, 1, 2, 3).Received
			Expect(crossed(c.elsewhere, others)).To(BeZero(), "nothing of it is seen in the other VRF")
			Expect(kit.ClearSince(c.here, since)).To(BeEmpty())
			kit.Control(answered == 3, "its hosts are answered in their own VRF")
		}
		Expect(kit.SendingSPI(ctx, red, 1, 2)).NotTo(Equal(kit.SendingSPI(ctx, blue, 1, 2)))
	})

	It("opens in a VRF no packet under an SA of another", kit.Requirement("GETVPN-VRF-02"), kit.Negative, func(ctx SpecContext) {
		red, blue := both(ctx)
		since := kit.Now(red)
		kit.Reached(kit.Ping(ctx, red, 2, 1, 1).Received == 1, "a packet under an SA of red comes to its host")
		before, others := kit.Now(red), kit.Now(blue)
		for _, p := range kit.ESPSince(red, since) {
			if p.To == lab.HostAddr(1) || p.To == red.GM[0].Addr().Addr() {
				blue.Inject(blue.GM[1].Name(), p.Packet)
			}
		}
		blue.Pass(ctx, kit.Settle)
		Expect(came(blue, others)).To(BeZero(), "not the host in blue")
		Expect(came(red, before)).To(BeZero(), "nor the one in red")
		kit.Control(kit.Ping(ctx, blue, 2, 1, 1).Received == 1, "a packet under the SA of blue comes to the host in blue")
	})

	It("follows the rekeys of each group where they come, and nowhere else", kit.Requirement("GETVPN-VRF-02"), kit.Negative, func(ctx SpecContext) {
		red, blue := both(ctx)
		inBlue := kit.SendingSPI(ctx, blue, 1, 2)
		since := kit.Now(red)
		rekey := kit.Rekey(ctx, red, control.RekeyArgs{})
		Expect(kit.SwitchesTo(ctx, red, 1, 2, rekey.SPIs[0])).To(BeTrue(), "it follows the rekey of red")
		copies := 0
		for _, f := range kit.WANSince(red, since) {
			if isPush(f.Packet, red.GM[0]) {
				blue.Inject(blue.KS.Name(), f.Packet)
				copies++
			}
		}
		kit.Reached(copies > 0, "the rekey of red is sent in blue, too")
		blue.Pass(ctx, kit.Settle)
		Expect(kit.SendingSPI(ctx, blue, 1, 2)).To(Equal(inBlue), "the rekey of red changes nothing in blue")
		other := kit.Rekey(ctx, blue, control.RekeyArgs{})
		kit.Control(kit.SwitchesTo(ctx, blue, 1, 2, other.SPIs[0]), "it follows the rekey of blue")
		Expect(kit.SendingSPI(ctx, red, 1, 2)).To(WithTransform(kit.SPI, Equal(rekey.SPIs[0])), "which changes nothing in red")
	})

	It("shows the group of each VRF", kit.Requirement("GETVPN-VRF-02", "GETVPN-VRF-01"), func(ctx SpecContext) {
		red, _ := both(ctx)
		answer, err := red.GM[0].Console(ctx, "show crypto gdoi")
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Text).To(MatchRegexp(`(?s)vrf:\s*red\b.*vrf:\s*blue\b`))
	})

	It("forgets in one VRF what an operator clears there, and nothing in the other", kit.Requirement("GETVPN-VRF-02"), func(ctx SpecContext) {
		red, blue := both(ctx)
		kit.Precondition(red.GM[0].Can(peer.ControlClear), "it can be told to forget what it has")
		inBlue, since, others := kit.SendingSPI(ctx, blue, 1, 2), kit.Now(red), kit.Now(blue)
		Expect(red.GM[0].Clear(ctx)).To(Succeed())
		Expect(red.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(red, since, core.Pull4.String())) > 0 })).To(BeTrue(),
			"it registers anew in red")
		Expect(kit.SendingSPI(ctx, blue, 1, 2)).To(Equal(inBlue), "it sends in blue as before")
		Expect(kit.MessagesSince(blue, others, core.Pull1.String())).To(BeEmpty(), "and registers no more there")
	})
})
