package phase1

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Key exchange and authentication at a key server (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	drops(core.MainMode3, brokenKeyExchange(core.MainMode3))
	accepts(core.MainMode3, unusualKeyExchange(core.MainMode3))
	drops(core.MainMode5, brokenProof(core.MainMode5))
	accepts(core.MainMode5, unusualProof(core.MainMode5))

	drops(core.MainMode5, []row{
		{"RFC2408-5.11-01", changedOffer(core.MainMode1)},
	})

	drops(core.Pull1, []row{
		{"RFC6407-3.2.1-02", tester.Version(core.Pull1, 0x11)},
		{"RFC6407-3.2.1-02", tester.Version(core.Pull1, 0x00)},
		{"RFC6407-2-01", tester.InClear(core.Pull1)},
		{"RFC2409-B-05", tester.Trailing(core.Pull1, "a part of a block behind it", []byte{1, 2, 3, 4})},
		{"RFC2408-5.3-01", tester.Reserved(core.Pull1, isakmp.PayloadNonce, 1)},
	})
	accepts(core.Pull1, []row{{"RFC6407-3.2.1-05", commit(core.Pull1)}})
	for _, kind := range []core.Kind{core.MainMode1, core.MainMode3, core.MainMode5} {
		accepts(kind, commits(kind))
	}

	It("ends the SA with the lifetime that was agreed", kit.Requirement("RFC6407-2-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		const lifetime = 10 * time.Minute
		t := begin(ctx, lab.Setup{}, tester.SetOffered(core.MainMode1, wire.TLV32(isakmp.AttrLifeDuration, uint32(lifetime/time.Second))))
		kit.Reached(t.reaches(ctx, core.Pull4), "the member registers")
		cookie := t.openings(t.tester)[0].header.InitiatorCookie
		t.Pass(ctx, lifetime-5*time.Second)
		Expect(t.serves(ctx, cookie)).To(BeTrue(), "until then a copy of message 5 is answered")
		t.Pass(ctx, 10*time.Second)
		Expect(t.serves(ctx, cookie)).To(BeFalse(), "afterwards it is not")
	})
})
