package console

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The console of a key server", kit.Subject("console"), kit.DUT(rule.KS), func() {
	It("lists every member that has registered, with the rekeys that it was sent", kit.Requirement("GETVPN-SHOW-01"), func(ctx SpecContext) {
		l := up(ctx, 2)
		mark := kit.Now(l)
		types(ctx, l.KS, "crypto gdoi ks rekey")
		kit.Reached(awaits(ctx, l, mark, "PUSH", l.KS, 1), "a rekey")
		l.Pass(ctx, time.Second) // the rekeys to the others
		members := types(ctx, l.KS, "show crypto gdoi ks members").Parts(`^\s*Group Member ID`)
		Expect(members).To(HaveLen(len(l.GM)))
		for _, gm := range l.GM {
			address := gm.Addr().Addr().String()
			one := types(ctx, l.KS, "show crypto gdoi ks members "+address)
			Expect(value(one, "Group Member ID")).To(Equal(address))
			Expect(value(one, "GM State")).To(Equal("Registered"))
			Expect(number(one, "Group ID")).To(Equal(lab.GroupID))
			Expect(value(one, "Key Server ID")).To(Equal(l.KS.Addr().Addr().String()))
			Expect(number(one, "Rekeys sent")).To(BeNumerically(">=", 1))
		}
	})

	It("says of an address that has not registered that there is no such member", kit.Requirement("GETVPN-SHOW-01"), func(ctx SpecContext) {
		l := up(ctx, 1)
		Expect(types(ctx, l.KS, "show crypto gdoi ks members "+l.KS.Addr().Addr().String()).Text).To(ContainSubstring("Group Member not Found"))
	})

	It("shows the KEK with what is left of its life, and the number of the last rekey", kit.Requirement("GETVPN-SHOW-02"), func(ctx SpecContext) {
		const life = 2 * time.Hour
		l := up(ctx, 1, func(g *policy.Group) { g.Rekey.KEKLifetime = life })
		before, at := types(ctx, l.KS, "show crypto gdoi ks rekey"), l.Now()
		Expect(before.Missing("# of teks", "Seq num", "spi", "management alg", "encrypt alg", "crypto iv length", "key size",
			"orig life(sec)", "remaining life(sec)", "sig hash algorithm", "sig key length", "sig size", "sig key name")).To(BeEmpty(), "fields that are not there in this order")
		Expect(number(before, "orig life(sec)")).To(BeEquivalentTo(life.Seconds()))
		Expect(value(before, "management alg")).To(Equal("disabled"))

		mark := kit.Now(l)
		types(ctx, l.KS, "crypto gdoi ks rekey")
		kit.Reached(awaits(ctx, l, mark, "PUSH", l.KS, 1), "a rekey")
		pushes := sent(l, mark, "PUSH", l.KS)
		Expect(strings.ToLower(value(before, "spi"))).To(Equal("0x"+cookies(pushes[0])), "the cookies of the rekey")
		l.Pass(ctx, 3*time.Second)
		after, passed := types(ctx, l.KS, "show crypto gdoi ks rekey"), l.Now().Sub(at)
		Expect(number(after, "Seq num")).To(BeNumerically(">", number(before, "Seq num")))
		gone := number(before, "remaining life(sec)") - number(after, "remaining life(sec)")
		Expect(time.Duration(gone)*time.Second).To(BeNumerically("~", passed, 2*time.Second), "it counts down as time passes")
	})

	It("shows no Data-Security SA of its own, which only members have", kit.Requirement("GETVPN-SHOW-06"), func(ctx SpecContext) {
		l := up(ctx, 1)
		Expect(types(ctx, l.KS, "show crypto ipsec sa").SPIs()).To(BeEmpty())
		Expect(types(ctx, l.KS, "show crypto gdoi ks policy").Values("spi")).NotTo(BeEmpty(), "the keys of the group are in its policy")
	})

	It("shows the pseudotime of a group as its members have it", kit.Requirement("GETVPN-SHOW-12", "GETVPN-SHOW-14", "GETVPN-TBAR-15"), func(ctx SpecContext) {
		l := up(ctx, 1, timeBased)
		l.Pass(ctx, 3*time.Second)
		status, err := l.GM[0].GMStatus(ctx)
		kit.Precondition(err, "the pseudotime of the member")
		kit.Reached(status.Pseudotime != nil, "a group with time-based anti-replay")
		Expect(pseudotime(types(ctx, l.KS, "show crypto gdoi ks replay"))).To(BeNumerically("~", seconds(status.Pseudotime.Value), tolerance))
	})

	for _, command := range []string{"clear crypto gdoi", "clear crypto gkm", "clear crypto gdoi ks members"} {
		It("has all members register again after "+command, kit.Requirement("GETVPN-POLICY-13"), func(ctx SpecContext) {
			l := up(ctx, 2)
			mark := kit.Now(l)
			types(ctx, l.KS, command)
			Expect(awaits(ctx, l, mark, "PUSH", l.KS, 1)).To(BeTrue(), "it tells the members")
			for _, gm := range l.GM {
				Expect(awaits(ctx, l, mark, "PULL4", l.KS, 1)).To(BeTrue())
				Expect(awaits(ctx, l, mark, "PULL1", gm, 1)).To(BeTrue(), "%s registers again", gm.Name())
			}
		})
	}

	It("notes that an operator has cleared a group on the key server", kit.Requirement("GETVPN-SYSLOG-05"), func(ctx SpecContext) {
		l := up(ctx, 1)
		types(ctx, l.KS, "clear crypto gdoi group "+lab.DefaultGroup().Name)
		Expect(types(ctx, l.KS, "show logging").Text).To(MatchRegexp(`%GDOI-\d-KS_CLEAR_REGISTER:.*` + lab.DefaultGroup().Name))
	})

	It("keeps the last events of a key server in their order", kit.Requirement("GETVPN-DEBUG-04"), func(ctx SpecContext) {
		l := up(ctx, 1)
		for range 3 {
			types(ctx, l.KS, "crypto gdoi ks rekey")
			l.Pass(ctx, time.Second)
		}
		var last int
		var rekeys []string
		for _, line := range strings.Split(types(ctx, l.KS, "show monitor event-trace gdoi").Text, "\n") {
			if strings.Contains(line, "REKEY") && strings.Contains(line, "sequence=") {
				rekeys = append(rekeys, line)
				n := sequenceOf(line)
				Expect(n).To(BeNumerically(">", last), "each rekey after the one before it: %s", line)
				last = n
			}
		}
		Expect(rekeys).To(HaveLen(3))
	})

	It("tells while debugging of the messages of the one member that was asked for", kit.Requirement("GETVPN-DEBUG-03"), func(ctx SpecContext) {
		l := up(ctx, 3)
		wanted := l.GM[1].Addr().Addr().String()
		types(ctx, l.KS, "debug crypto gdoi condition "+wanted)
		types(ctx, l.KS, "debug crypto gdoi ks rekey all-levels")
		mark := kit.Now(l)
		types(ctx, l.KS, "crypto gdoi ks rekey")
		kit.Reached(l.Wait(ctx, 15*time.Second, func() bool { return len(addressees(sent(l, mark, "PUSH", l.KS))) == 3 }), "a rekey to all members")
		types(ctx, l.KS, "undebug all")
		told := types(ctx, l.KS, "show logging | include DEBUG").Text
		Expect(told).To(ContainSubstring(wanted))
		for _, other := range []int{0, 2} {
			Expect(told).NotTo(ContainSubstring(l.GM[other].Addr().String()))
		}
	})

	It("sends a rekey with another KEK when all keys are to be replaced at once", kit.Requirement("GETVPN-SHOW-02"), func(ctx SpecContext) {
		l := up(ctx, 1)
		before, mark := value(types(ctx, l.KS, "show crypto gdoi ks rekey"), "spi"), kit.Now(l)
		types(ctx, l.KS, "crypto gdoi ks rekey replace-now")
		Expect(awaits(ctx, l, mark, "PUSH", l.KS, 1)).To(BeTrue())
		after := value(types(ctx, l.KS, "show crypto gdoi ks rekey"), "spi")
		Expect(after).NotTo(Equal(before))
		mark = kit.Now(l)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(awaits(ctx, l, mark, "PUSH", l.KS, 1), "a rekey under the new KEK")
		Expect("0x" + cookies(sent(l, mark, "PUSH", l.KS)[0])).To(Equal(strings.ToLower(after)))
	})
})

// cookies are both cookies of a message, which name the Rekey SA.
func cookies(m capture.Message) string {
	return fmt.Sprintf("%s%s", m.Header.InitiatorCookie, m.Header.ResponderCookie)
}

// addressees are those to whom messages went.
func addressees(messages []capture.Message) map[string]bool {
	to := make(map[string]bool)
	for _, m := range messages {
		to[m.To.Addr().String()] = true
	}
	return to
}

// sequenceOf is the number of a rekey in a line of the event trace.
func sequenceOf(line string) (n int) {
	_, after, _ := strings.Cut(line, "sequence=")
	_, _ = fmt.Sscanf(after, "%d", &n)
	return n
}
