package console

import (
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The console of a group member", kit.Subject("console"), kit.DUT(rule.GM), func() {
	It("shows its group, itself, its rekeys, the access list and the KEK, whose life counts down", kit.Requirement("GETVPN-SHOW-03"), func(ctx SpecContext) {
		l := up(ctx, 1, func(g *policy.Group) { g.Rekey.KEKLifetime = 2 * time.Hour })
		before, at := types(ctx, l.GM[0], "show crypto gdoi"), l.Now()
		Expect(before.Text).To(ContainSubstring("GROUP INFORMATION"))
		Expect(before.Missing("Group Name", "Group Identity", "Rekeys received", "IPSec SA Direction", "Group Server list", "Group member", "Version",
			"Registration status", "Registered with", "Re-registers in", "Succeeded registration", "Attempted registration", "Last rekey from",
			"Last rekey seq num", "Total received", "After latest register", "Rekey Transport Type", "Lifetime (secs)", "Encrypt Algorithm", "Key Size",
			"Sig Hash Algorithm", "Sig Key Length (bits)")).To(BeEmpty(), "fields that are not there in this order")
		Expect(number(before, "Group Identity")).To(Equal(lab.GroupID))
		Expect(value(before, "Registration status")).To(Equal("Registered"))
		Expect(value(before, "Registered with")).To(Equal(l.KS.Addr().Addr().String()))
		Expect(before.Text).To(MatchRegexp(`access-list\s+permit ip ` + network(lab.Protected)))

		l.Pass(ctx, 3*time.Second)
		after, passed := types(ctx, l.GM[0], "show crypto gdoi"), l.Now().Sub(at)
		gone := number(before, "Lifetime (secs)") - number(after, "Lifetime (secs)")
		Expect(time.Duration(gone)*time.Second).To(BeNumerically("~", passed, 2*time.Second), "it counts down as time passes")
	})

	It("counts the rekeys that it has taken, and says the number of the last", kit.Requirement("GETVPN-SHOW-03"), func(ctx SpecContext) {
		l := up(ctx, 1)
		Expect(number(types(ctx, l.GM[0], "show crypto gdoi"), "Total received")).To(BeZero())
		var last control.RekeyResult
		for range 2 {
			last = kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Reached(kit.Takes(ctx, l, 1, last), "it takes a rekey")
		}
		after := types(ctx, l.GM[0], "show crypto gdoi")
		Expect(number(after, "Total received")).To(Equal(2))
		Expect(number(after, "After latest register")).To(Equal(2))
		Expect(number(after, "Last rekey seq num")).To(BeEquivalentTo(last.Sequence))
		Expect(value(after, "Last rekey from")).To(Equal(l.KS.Addr().Addr().String()))
	})

	It("counts the rekeys and acknowledgements of its latest registration beside all of them", kit.Requirement("GETVPN-ACK-05"), kit.Feature("ack"), func(ctx SpecContext) {
		l := up(ctx, 1, kit.Acknowledging)
		rekeyed := func() {
			GinkgoHelper()
			kit.Reached(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{})), "it takes a rekey")
		}
		rekeyed()
		rekeyed()
		registered := l.GM[0].Registrations()
		kit.Precondition(l.GM[0].Clear(ctx), "it registers afresh")
		kit.Reached(l.GM[0].AwaitRegistrations(ctx, registered, lab.Patience), "it is registered again")
		rekeyed()
		l.Pass(ctx, time.Second) // the acknowledgement
		shown := types(ctx, l.GM[0], "show crypto gdoi")
		for label, want := range map[string]int{
			"Total received": 3, "After latest register": 1, "Rekey Acks sents": 3, "Unicast rekey received": 3, "Rekey ACKs sent": 3,
		} {
			Expect(number(shown, label)).To(Equal(want), label)
		}
	})

	It("shows a traffic key that came last and has ended as expired", kit.Requirement("GETVPN-SHOW-10"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		l := up(ctx, 1)
		spi := types(ctx, l.GM[0], "show crypto gdoi").SPIs()
		kit.Precondition(l.KS.Stop(), "the key server ends, so that no other key comes")
		l.Pass(ctx, lifetime()+time.Minute)
		shown := types(ctx, l.GM[0], "show crypto gdoi | begin TEK POLICY")
		Expect(shown.SPIs()).To(Equal(spi), "it is the last that came")
		Expect(value(shown, "sa timing:remaining key lifetime (sec)")).To(ContainSubstring("expired"))
		Expect(types(ctx, l.GM[0], "show crypto ipsec sa").SPIs()).To(BeEmpty(), "there is no SA any more")
	})

	for _, c := range []struct {
		what     string
		kek, tek time.Duration
	}{
		{"the KEK if that ends first", 10 * time.Minute, 2 * time.Hour},
		{"the traffic keys if those end first", 2 * time.Hour, 10 * time.Minute},
	} {
		It("says when it registers again: for "+c.what, kit.Requirement("GETVPN-SHOW-04"), func(ctx SpecContext) {
			l := up(ctx, 1, func(g *policy.Group) { g.Rekey.KEKLifetime, g.SAs[0].Lifetime = c.kek, c.tek })
			left := number(types(ctx, l.GM[0], "show crypto gdoi gm"), "Re-registers in")
			Expect(left).To(And(BeNumerically(">", 0), BeNumerically("<=", min(c.kek, c.tek).Seconds())))
		})
	}

	It("shows the SAs of one of its groups, or of all", kit.Requirement("GETVPN-SHOW-05"), kit.Feature("several-groups"), func(ctx SpecContext) {
		const second = 5678
		l := kit.Up(ctx, lab.Setup{
			Profile: policy.ProfileGETVPN,
			KeyServer: func(c *policy.KeyServer) {
				other := c.Groups[0]
				other.Name, other.ID = "other", second
				other.SAs = append([]policy.SAPolicy(nil), other.SAs...)
				other.SAs[0].Selector.Protocol = 17
				c.Groups = append(c.Groups, other)
			},
			Member: func(_ int, c *policy.Member) {
				c.Group, c.Groups = 0, []policy.Membership{{Group: lab.GroupID, GroupName: "first"}, {Group: second, GroupName: "second"}}
			},
		})
		all := types(ctx, l.GM[0], "show crypto gdoi ipsec sa")
		Expect(all.Text).To(And(MatchRegexp(`SA created for group first`), MatchRegexp(`SA created for group second`)))
		Expect(all.Values("local ident")).To(HaveLen(2))
		one := types(ctx, l.GM[0], "show crypto gdoi group second ipsec sa")
		Expect(one.Text).To(MatchRegexp(`SA created for group second`))
		Expect(one.Text).NotTo(MatchRegexp(`SA created for group first`))
		Expect(one.Text).To(MatchRegexp(`protocol = (udp|17)`))
	})

	It("shows the SA that its packets leave under, and counts them", kit.Requirement("GETVPN-SHOW-06"), func(ctx SpecContext) {
		l := up(ctx, 2)
		before := number(types(ctx, l.GM[0], "show crypto ipsec sa"), "#pkts encrypt")
		mark := kit.Now(l)
		kit.Ping(ctx, l, 1, 2, 3)
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(own(l, mark)) >= 3 }), "packets of its hosts")
		after := types(ctx, l.GM[0], "show crypto ipsec sa")
		seen := own(l, mark)
		Expect(after.SPIs()).To(ContainElement(kit.SPI(seen[0].SPI)))
		Expect(number(after, "#pkts encrypt") - before).To(Equal(len(seen)))
		Expect(number(after, "sa timing*")).To(And(BeNumerically(">", 0), BeNumerically("<=", lifetime().Seconds())))
	})

	It("shows after a rekey the same keys as group and as SAs", kit.Requirement("GETVPN-SHOW-07"), func(ctx SpecContext) {
		l := up(ctx, 2)
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(kit.Takes(ctx, l, 1, rekey), "it takes a rekey")
		group, sas := types(ctx, l.GM[0], "show crypto gdoi").SPIs(), types(ctx, l.GM[0], "show crypto ipsec sa").SPIs()
		Expect(group).To(ContainElements(rekey.SPIs), "the keys of the rekey")
		Expect(sas).To(ConsistOf(group))
	})

	for _, c := range []struct {
		name           string
		transform      policy.Transform
		shown          string
		key, integrity int
	}{
		{"AES-128 with SHA-1", cbc(128, policy.IntegrityHMACSHA1), "esp-aes esp-sha-hmac", 16, 20},
		{"AES-192 with SHA-1", cbc(192, policy.IntegrityHMACSHA1), "esp-aes 192 esp-sha-hmac", 24, 20},
		{"AES-256 with SHA-256", cbc(256, policy.IntegrityHMACSHA256), "esp-aes 256 esp-sha256-hmac", 32, 32},
		{"3DES with SHA-1", policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}, "esp-3des esp-sha-hmac", 24, 20},
	} {
		It("shows a traffic key of "+c.name+" with its lengths and its encapsulation", kit.Requirement("GETVPN-SHOW-08", "GETVPN-SHOW-09"), func(ctx SpecContext) {
			l := up(ctx, 1, func(g *policy.Group) {
				t := c.transform
				t.Mode, t.Preservation = g.SAs[0].Transform.Mode, g.SAs[0].Transform.Preservation
				g.SAs[0].Transform = t
			})
			tek := types(ctx, l.GM[0], "show crypto gdoi | begin TEK POLICY")
			Expect(tek.Missing("spi", "transform", "sa timing:remaining key lifetime (sec)", "tag method", "alg key size", "sig key size", "encaps")).To(BeEmpty())
			Expect(tek.Values("Anti-Replay*")).NotTo(BeEmpty())
			Expect(value(tek, "spi")).To(MatchRegexp(`^0x[0-9A-F]{1,8}\(\d+\)$`))
			Expect(strings.Trim(value(tek, "transform"), " ,")).To(Equal(c.shown))
			Expect(number(tek, "sa timing:remaining key lifetime (sec)")).To(And(BeNumerically(">", 0), BeNumerically("<=", lifetime().Seconds())))
			Expect(value(tek, "tag method")).To(Equal("disabled"))
			Expect(value(tek, "alg key size")).To(Equal(strconv.Itoa(c.key) + " (bytes)"))
			Expect(value(tek, "sig key size")).To(Equal(strconv.Itoa(c.integrity) + " (bytes)"))
			Expect(value(tek, "encaps")).To(Equal("ENCAPS_TUNNEL"))
		})
	}

	It("shows the pseudotime of its group as its key server has it", kit.Requirement("GETVPN-SHOW-12"), func(ctx SpecContext) {
		l := up(ctx, 1, timeBased)
		l.Pass(ctx, 3*time.Second)
		status, err := l.KS.KSStatus(ctx)
		kit.Precondition(err, "the pseudotime of the key server")
		Expect(pseudotime(types(ctx, l.GM[0], "show crypto gdoi gm replay"))).To(BeNumerically("~", seconds(status.Groups[0].Pseudotime), tolerance))
	})

	It("counts the packets that anti-replay has looked at, until an operator clears that", kit.Requirement("GETVPN-SHOW-13", "GETVPN-SHOW-14"), func(ctx SpecContext) {
		l := up(ctx, 2, timeBased)
		mark := kit.Now(l)
		kit.Ping(ctx, l, 1, 2, 3)
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(kit.ESPSince(l, mark)) >= 6 }), "packets of the hosts, and answers")
		l.Pass(ctx, time.Second)
		counted := types(ctx, l.GM[0], "show crypto gdoi gm replay")
		Expect(number(counted, "Output Packets")).To(Equal(len(own(l, mark))))
		Expect(number(counted, "Input Packets")).To(Equal(len(kit.ESPSince(l, mark)) - len(own(l, mark))))
		Expect(number(counted, "Input Error Packets")).To(BeZero())
		types(ctx, l.GM[0], "clear crypto gdoi group "+strconv.Itoa(lab.GroupID)+" replay")
		cleared := types(ctx, l.GM[0], "show crypto gdoi gm replay")
		for _, label := range []string{"Input Packets", "Output Packets", "Input Error Packets", "Output Error Packets"} {
			Expect(number(cleared, label)).To(BeZero(), label)
		}
	})

	for _, active := range []bool{true, false} {
		state := map[bool]string{true: "yes", false: "no"}[active]
		It("shows the list for the time before it registers, and whether that is active: "+state, kit.Requirement("GETVPN-SHOW-15", "GETVPN-FAILCLOSE-14"), func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Member: func(_ int, c *policy.Member) {
				c.FailClose = policy.FailClose{Activate: active, AccessList: []policy.FailCloseEntry{{
					Selector: policy.Selector{Source: lab.Protected, Destination: lab.Protected, Protocol: 6, DestinationPort: 23}, Action: policy.ACLDeny,
				}}}
			}})
			shown := types(ctx, l.GM[0], "show crypto map gdoi fail-close")
			Expect(value(shown, "Activate")).To(Equal(state))
			Expect(shown.Text).To(MatchRegexp(`access-list.* deny tcp ` + network(lab.Protected) + ` ` + network(lab.Protected) + ` port = 23`))
		})
	}

	It("shows that it takes whatever is offered, unless it is configured otherwise", kit.Requirement("GETVPN-SHOW-17", "GETVPN-ALGO-05"), func(ctx SpecContext) {
		l := up(ctx, 1)
		shown := types(ctx, l.GM[0], "show crypto gdoi")
		Expect([]string{value(shown, "allowable rekey cipher"), value(shown, "allowable rekey hash"), value(shown, "allowable transformtag")}).
			To(Equal([]string{"any", "any", "any ESP"}))
	})

	It("shows what it takes, if it is configured", kit.Requirement("GETVPN-SHOW-17"), func(ctx SpecContext) {
		group := lab.DefaultGroup()
		l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Member: func(_ int, c *policy.Member) {
			algorithms := group.SAs[0].Transform
			c.Client = policy.Client{
				Ciphers: []policy.KEKTransform{policy.DefaultKEK}, Hashes: []policy.SigHash{policy.SigHashSHA256},
				Transforms: []policy.Transform{{Cipher: algorithms.Cipher, KeyBits: algorithms.KeyBits}},
			}
		}})
		shown := types(ctx, l.GM[0], "show crypto gdoi")
		Expect(value(shown, "allowable rekey cipher")).To(MatchRegexp("(?i)aes.?128"))
		Expect(value(shown, "allowable rekey hash")).To(MatchRegexp("(?i)sha.?256"))
		Expect(value(shown, "allowable transformtag")).To(MatchRegexp("(?i)gcm"))
	})

	It("tells while debugging of the messages of the one key server that was asked for", kit.Requirement("GETVPN-DEBUG-03"), func(ctx SpecContext) {
		l := up(ctx, 1)
		for _, c := range []struct {
			peer string
			told bool
		}{{l.KS.Addr().Addr().Next().String(), false}, {l.KS.Addr().Addr().String(), true}} {
			types(ctx, l.GM[0], "debug crypto gdoi condition "+c.peer)
			types(ctx, l.GM[0], "debug crypto gdoi gm rekey all-levels")
			kit.Reached(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{})), "it takes a rekey")
			types(ctx, l.GM[0], "undebug all")
			if told := types(ctx, l.GM[0], "show logging | include DEBUG").Text; c.told {
				Expect(told).To(ContainSubstring(c.peer))
			} else {
				Expect(told).To(BeEmpty())
			}
		}
	})

	It("shows that packets carry the tag of their security group", kit.Requirement("GETVPN-SHOW-09"), func(ctx SpecContext) {
		l := up(ctx, 1, func(g *policy.Group) { g.SAs[0].Tag = true })
		Expect(value(types(ctx, l.GM[0], "show crypto gdoi | begin TEK POLICY"), "tag method")).To(Equal("cts sgt"))
	})

	It("shows the rules of its packets with their handles, and where those that deny lead", kit.Requirement("GETVPN-SHOW-16"), func(ctx SpecContext) {
		l := up(ctx, 1)
		short, full := types(ctx, l.GM[0], "show crypto ruleset").Text, types(ctx, l.GM[0], "show crypto ruleset detail").Text
		var rules int
		for _, line := range strings.Split(short, "\n") {
			if rule := strings.TrimSpace(line); strings.HasPrefix(line, " ") && rule != "" {
				rules++
				end := ""
				if strings.HasSuffix(rule, "DENY") {
					end = ` -> \d+`
				}
				Expect(full).To(MatchRegexp(`(?m)^\s*\d{14} ` + strings.ReplaceAll(rule, ".", `\.`) + end + `\s*$`))
			}
		}
		Expect(rules).To(BeNumerically(">", 0))
		Expect(short).To(ContainSubstring("ANY/848 ANY/848 DENY"))
	})

	for _, command := range []string{"clear crypto gdoi", "clear crypto gkm", "clear crypto gdoi group 1234"} {
		It("registers again after "+command, kit.Requirement("GETVPN-POLICY-13"), func(ctx SpecContext) {
			l := up(ctx, 1)
			mark := kit.Now(l)
			types(ctx, l.GM[0], command)
			Expect(awaits(ctx, l, mark, "PULL1", l.GM[0], 1)).To(BeTrue(), "it begins to register")
			Expect(awaits(ctx, l, mark, "PULL4", l.KS, 1)).To(BeTrue(), "and gets to the end")
			Expect(l.Wait(ctx, lab.Patience, func() bool {
				return number(types(ctx, l.GM[0], "show crypto gdoi"), "Succeeded registration") == 2
			})).To(BeTrue(), "and counts it")
		})
	}

	It("notes that an operator has cleared a group on the member", kit.Requirement("GETVPN-SYSLOG-05"), func(ctx SpecContext) {
		l := up(ctx, 1)
		types(ctx, l.GM[0], "clear crypto gdoi")
		Expect(types(ctx, l.GM[0], "show logging").Text).To(MatchRegexp(`%GDOI-\d-GM_CLEAR_REGISTER:`))
	})

	It("keeps the last events of a member in their order", kit.Requirement("GETVPN-DEBUG-04"), func(ctx SpecContext) {
		l := up(ctx, 1)
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(kit.Takes(ctx, l, 1, rekey), "it takes a rekey")
		trace := types(ctx, l.GM[0], "show monitor event-trace gdoi").Text
		registered, rekeyed := strings.Index(trace, "GM_REGS_COMPL"), strings.LastIndex(trace, "GM_RECV_REKEY")
		Expect(registered).To(BeNumerically(">=", 0), "that it has registered")
		Expect(rekeyed).To(BeNumerically(">", registered), "and then has taken a rekey")
	})
})

func cbc(bits int, integrity policy.Integrity) policy.Transform {
	return policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: bits, Integrity: integrity}
}

// own are the packets of ESP since a mark that the device under test sent.
func own(l *lab.Lab, since kit.Mark) (mine []kit.ESP) {
	for _, p := range kit.ESPSince(l, since) {
		if lab.MemberLAN(1).Contains(p.From) || p.From == l.GM[0].Addr().Addr() {
			mine = append(mine, p)
		}
	}
	return mine
}

// lifetime is that of the group's traffic keys, where a spec leaves it as it is.
func lifetime() time.Duration {
	if life := lab.DefaultGroup().SAs[0].Lifetime; life > 0 {
		return life
	}
	return time.Hour
}
