package phase1

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// rounds is how often a member begins again in these specs.
const rounds = 3

var _ = Describe("What a key server makes afresh (RFC 2408 §2.5.3, §5.13)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	makesAfresh(keyServerSide)
})

var _ = Describe("What a group member makes afresh (RFC 2408 §2.5.3, §5.13)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	makesAfresh(memberSide)

	It("the member chooses a Message ID of its own for each PULL", kit.Requirement("RFC2408-3.1-06"), func(ctx SpecContext) {
		var ids []uint32
		t := begin(ctx, lab.Setup{})
		for round := range rounds {
			Expect(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.device, core.Pull1)) > round })).To(BeTrue(), "it sends PULL1")
			ids = append(ids, t.decoded(t.device, core.Pull1)[round].Header.MessageID)
			t.again(ctx)
		}
		Expect(ids).NotTo(ContainElement(BeZero()))
		Expect(different(ids)).To(BeTrue(), "%08x", ids)
	})
})

func makesAfresh(s side) {
	It(s.name+" makes a cookie for each exchange", kit.Requirement("RFC2408-2.5.3-02", "RFC2408-2.5.3-01"), func(ctx SpecContext) {
		var cookies []isakmp.Cookie
		t := begin(ctx, lab.Setup{})
		for round := range rounds {
			opened := func() []datagram { return t.messages(t.device) }
			Expect(t.Wait(ctx, lab.Patience, func() bool { return len(ownCookies(opened(), s)) > round })).
				To(BeTrue(), "exchange %d has a cookie of its own", round+1)
			cookies = ownCookies(opened(), s)
			t.again(ctx)
		}
		Expect(cookies).NotTo(ContainElement(isakmp.Cookie{}))
		Expect(different(cookies)).To(BeTrue(), "%s", cookies)
	})

	It(s.name+" makes a nonce for each exchange", kit.Requirement("RFC2408-5.13-01"), func(ctx SpecContext) {
		var nonces []string
		t := begin(ctx, lab.Setup{})
		for round := range 2 {
			kind := exchanging(s)
			Expect(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.device, kind)) > round })).To(BeTrue(), "it sends %s", kind)
			f, _ := field(t.decoded(t.device, kind)[round].Payloads, isakmp.PayloadNonce.String())
			nonces = append(nonces, f.Value)
			t.again(ctx)
		}
		Expect(different(nonces)).To(BeTrue(), "%s", nonces)
	})
}

// ownCookies are the different cookies that a side made.
func ownCookies(sent []datagram, s side) []isakmp.Cookie {
	var own []isakmp.Cookie
	seen := make(map[isakmp.Cookie]bool)
	for _, d := range sent {
		c := d.header.ResponderCookie
		if s == memberSide {
			c = d.header.InitiatorCookie
		}
		if !seen[c] {
			seen[c] = true
			own = append(own, c)
		}
	}
	return own
}

func different[T comparable](values []T) bool {
	seen := make(map[T]bool)
	for _, v := range values {
		seen[v] = true
	}
	return len(seen) == len(values)
}
