package timers

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// busiest is the rate of packets of the guide, in packets a second.
const busiest = 100000

// long has the SAs of a group live so long, and the KEK longer than anybody advises against.
func long(d time.Duration) func(*policy.Group) {
	return func(g *policy.Group) {
		g.SAs[0].Lifetime, g.Rekey.KEKLifetime = d, 10*24*time.Hour
	}
}

var _ = Describe("Sequence numbers that end before their SA", kit.Subject("timers"), func() {
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		for _, c := range []struct {
			lives   time.Duration
			esn     bool
			advised bool
		}{{42940 * time.Second, false, false}, {43000 * time.Second, false, true}, {43000 * time.Second, true, false}} {
			says, numbers := "says nothing of", "numbers of 32 bits"
			if c.advised {
				says = "advises its operator against"
			}
			if c.esn {
				numbers = "extended numbers"
			}
			It(fmt.Sprintf("%s an SA of %v with %s at %d packets a second, and works (%s)", says, c.lives, numbers, busiest, role), kit.DUT(role),
				kit.Requirement("GETVPN-CBAR-05"), kit.Feature("packet-rate"), func(ctx SpecContext) {
					one := setup(1, long(c.lives), func(g *policy.Group) { g.SAs[0].Transform.ESN = c.esn })
					one.KeyServer = func(k *policy.KeyServer) {
						if role == rule.KS {
							k.Groups[0].PacketRate = busiest
						}
					}
					one.Member = func(_ int, m *policy.Member) {
						m.ReplayWindow = 64 // which extended numbers need
						if role == rule.GM {
							m.PacketRate = busiest
						}
					}
					s := &scene{kit.Up(ctx, one), ctx}
					device := map[rule.Role]*lab.Peer{rule.KS: s.KS, rule.GM: s.GM[0]}[role]
					Expect(len(device.Logged("LIFETIME_ADVICE")) > 0).To(Equal(c.advised))
					Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "a rekey is taken")
				})
		}
	}
})

var _ = Describe("The RSA key that a key server of GET VPN signs rekeys with", kit.Subject("timers"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		key  string
		bits int
		weak bool
	}{{"ks-rsa1024", 1024, true}, {"ks1", 2048, false}, {"ks-rsa4096", 4096, false}} {
		says := "is none that its operator is told of"
		if c.weak {
			says = "is one that its operator is told of"
		}
		It(fmt.Sprintf("%s if it has %d bits, and works", says, c.bits), kit.Requirement("GETVPN-REKEY-24"), func(ctx SpecContext) {
			der, err := lab.SigningKey(c.key)
			kit.Precondition(err, "a test key")
			one := setup(1)
			one.Signature = policy.SigRSA
			one.KeyServer = func(k *policy.KeyServer) { k.SigningKey = der }
			s := &scene{kit.Up(ctx, one), ctx}
			kit.Precondition(s.KS.Can(peer.ReadLog), "the log of the key server can be read")
			Expect(s.tells("SIGNING_KEY_WEAK", c.weak)).To(Equal(c.weak))
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "a member takes what it signs")
		})
	}
})
