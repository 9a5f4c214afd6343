package phase1

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Authentication by signatures at a key server (RFC 2409 §5.1, RFC 4754)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	signs(keyServerSide)
	requests(keyServerSide)
	knows(keyServerSide)
	dropsSignatures(keyServerSide)
})

var _ = Describe("Authentication by signatures at a group member (RFC 2409 §5.1, RFC 4754)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	signs(memberSide)
	requests(memberSide)
	knows(memberSide)
	dropsSignatures(memberSide)
})
