package natt

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("NAT traversal in Aggressive Mode at a key server (RFC 3947 §3.2, §4)", kit.Subject("natt"), kit.DUT(rule.KS),
	kit.Feature("nat-traversal"), func() {
		owes(aggressiveKeyServer)
		answersThere(aggressiveKeyServer)
		unmarked(aggressiveKeyServer, core.Aggressive3)
		elsewhere(aggressiveKeyServer)
		harmless(aggressiveKeyServer, tester.Unfloated(core.Aggressive3, lab.Port), tester.HalfFloated(core.Aggressive3, lab.Port))
	})

var _ = Describe("NAT traversal in Aggressive Mode at a group member (RFC 3947 §3.2, §4)", kit.Subject("natt"), kit.DUT(rule.GM),
	kit.Feature("nat-traversal"), func() {
		owes(aggressiveMember)
		changes(aggressiveMember)
		elsewhere(aggressiveMember)
	})
