package membership

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// limit is a list of a member, a group that keeps to it, and an offer that does not.
type limit struct {
	what, requirement string
	client            policy.Client
	group             func(*policy.Group)
	beyond            func(kind core.Kind) tester.Deviation
}

// limits are the lists that a member may have. What is beyond them is what a member without lists takes.
var limits = []limit{
	{"a KEK cipher", "GETVPN-ALGO-01", policy.Client{Ciphers: []policy.KEKTransform{{Cipher: policy.KEKAES, KeyBits: 256}, {Cipher: policy.KEKAES, KeyBits: 192}}},
		func(g *policy.Group) { g.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256} },
		func(kind core.Kind) tester.Deviation {
			return tester.EditSAK(kind, "a KEK of 128 bits", func(s *gdoi.SAK) {
				s.Attributes = tester.SetAttribute(s.Attributes, wire.TV(gdoi.KEKKeyLength, 128))
			})
		}},
	{"a hash of rekeys", "GETVPN-ALGO-02", policy.Client{Hashes: []policy.SigHash{policy.SigHashSHA512}},
		func(g *policy.Group) { g.Rekey.SigHash = policy.SigHashSHA512 },
		func(kind core.Kind) tester.Deviation {
			return tester.EditSAK(kind, "signatures with SHA-256", func(s *gdoi.SAK) {
				s.Attributes = tester.SetAttribute(s.Attributes, wire.TV(gdoi.SigHashAlgorithm, uint16(policy.SigHashSHA256)))
			})
		}},
	{"a transform", "GETVPN-ALGO-03", policy.Client{Transforms: []policy.Transform{keyed(256), keyed(192), lab.CBC()}},
		func(g *policy.Group) { g.SAs[0].Transform = keyed(256) },
		func(kind core.Kind) tester.Deviation {
			return tester.EditSAT(kind, "a key of 128 bits", func(s *gdoi.SAT) {
				s.ESP.Attributes = tester.SetAttribute(s.ESP.Attributes, wire.TV(gdoi.KeyLength, 128))
			})
		}},
}

// keyed is AES-GCM with a key of so many bits.
func keyed(bits int) policy.Transform {
	t := lab.GCM()
	t.KeyBits = bits
	return t
}

// under is a network whose member is limited, with the group that keeps to it.
func (c limit) under() lab.Setup {
	setup := hosts(2, promptly, c.group)
	setup.Signature = policy.SigRSA
	setup.Member = func(i int, m *policy.Member) {
		if hasty(i, m); i == 1 {
			m.Client = c.client
		}
	}
	return setup
}

var _ = Describe("What a member takes (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), func() {
	for _, c := range limits {
		It("registers for no group that has "+c.what+" beyond its list, and does for one within", kit.Requirement(c.requirement), kit.Negative,
			func(ctx SpecContext) {
				l := kit.Lab(ctx, c.under())
				Expect(l.KS.Misbehave(tester.Taps(tester.Once(c.beyond(core.Pull2))))).To(Succeed())
				kit.Precondition(l.KS.Start(ctx), "the key server starts")
				kit.Precondition(l.GM[0].Start(ctx), "the member starts")
				registered := l.GM[0].AwaitRegistered(ctx) == nil
				asked := only(talk(l, 0), core.Pull1)
				Expect(len(asked)).To(BeNumerically(">=", 2), "the member asks again")
				Expect(thirds(l, asked[0])).To(BeEmpty(), "it does not go on with the offer that has it")
				kit.Control(registered && len(thirds(l, asked[len(asked)-1])) == 1, "it accepts the offer that has not")
			})
	}

	It("carries out no rekey that has a transform beyond its list, and does the next", kit.Requirement("GETVPN-ALGO-03"), kit.Negative,
		func(ctx SpecContext) {
			c := limits[2]
			l := kit.Up(ctx, c.under())
			before := kit.SendingSPI(ctx, l, 1, 2)
			Expect(l.KS.Misbehave(tester.Taps(c.beyond(core.Push)))).To(Succeed())
			kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.AwaitRefusal(ctx, l, l.GM[0], rule.ID(c.requirement), 0, kit.Never)
			Expect(kit.SPI(kit.SendingSPI(ctx, l, 1, 2))).To(Equal(kit.SPI(before)), "it goes on under the SA before")
			Expect(l.KS.Misbehave(nil)).To(Succeed())
			kit.Control(kit.SwitchesTo(ctx, l, 1, 2, kit.Rekey(ctx, l, control.RekeyArgs{}).SPIs[0]), "it takes a rekey within its list")
		})

	It("asks the key servers of its list, of which there are eight, in their order until one answers", kit.Requirement("GETVPN-REG-19"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			setup := of(1)
			var list []netip.AddrPort
			setup.Member = func(i int, m *policy.Member) {
				hasty(i, m)
				m.Phase1.Retries = 1
				m.Phase1.PSKs[0].Peer = lab.WAN
				for n := range policy.MostKeyServers - 1 {
					list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(101 + n)}), lab.Port))
				}
				list = append(list, m.KeyServers[0])
				m.KeyServers = list
			}
			l := kit.Lab(ctx, setup)
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[0].Start(ctx), "the member starts")
			Expect(l.Wait(ctx, 5*time.Minute, func() bool { return l.GM[0].Registered(ctx) })).To(BeTrue(), "it registers with the last")
			var asked []netip.AddrPort
			for _, m := range only(talk(l, 0), core.MainMode1) {
				asked = append(asked, m.To)
			}
			Expect(asked).To(Equal(list))
			kit.Reading("GETVPN-REG-19", "asks in the order of the configuration, each next one %.1f s after the one before", gap(l).Seconds())
		})

	It("clears the DF bit of what it sends in ESP where its configuration says so for all", kit.Requirement("GETVPN-MTU-02"), func(ctx SpecContext) {
		setup := hosts(2)
		setup.Member = func(i int, m *policy.Member) {
			if hasty(i, m); i == 1 {
				m.DataPath.DF = policy.DFClear
			}
		}
		l := kit.Up(ctx, setup)
		since := kit.Now(l)
		packet, err := lab.EchoPacket(lab.HostAddr(1), lab.HostAddr(2), false, 7, 1, true, nil)
		kit.Precondition(err, "the tester makes a packet")
		kit.Precondition(l.Hosts[0].Send(packet), "the host sends it with DF")
		Expect(l.Wait(ctx, lab.Patience, func() bool { return len(outward(l, since)) > 0 })).To(BeTrue())
		Expect(outward(l, since)[0].Packet[6]&0x40).To(BeZero(), "the outer header has no DF")
	})
})

// outward are the ESP packets of the host behind member 1 since the mark.
func outward(l *lab.Lab, since kit.Mark) (left []kit.ESP) {
	for _, p := range kit.ESPSince(l, since) {
		if p.From == lab.HostAddr(1) {
			left = append(left, p)
		}
	}
	return left
}

// thirds are the messages 3 of the PULL that a message 1 begins.
func thirds(l *lab.Lab, first capture.Message) (all []capture.Message) {
	for _, m := range only(talk(l, 0), core.Pull3) {
		if m.Header.InitiatorCookie == first.Header.InitiatorCookie && m.Header.MessageID == first.Header.MessageID {
			all = append(all, m)
		}
	}
	return all
}

// gap is the time between the first two attempts of the member at a key server.
func gap(l *lab.Lab) time.Duration {
	tried := only(talk(l, 0), core.MainMode1)
	return tried[1].At.Sub(tried[0].At)
}
