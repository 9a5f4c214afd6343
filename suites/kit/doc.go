// Package kit is what the suites share: how a spec names its requirement, gets its lab, proves that the device was alive,
// and how its outcome becomes a verdict.
//
// A spec reads
//
//	var _ = Describe("GROUPKEY-PUSH at a group member (RFC 6407 §4.4)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
//		It("drops a rekey whose SIG is wrong", kit.Requirement("RFC6407-4.4-03"), kit.Negative, func(ctx SpecContext) {
//			l := kit.Lab(ctx, lab.Setup{})
//			…
//		})
//	})
//
// An It without a requirement does not start. A negative spec that ends without having seen its positive control is an
// error, never a pass. One set of words serves everywhere: pass, fail, inconclusive (the precondition was not reached),
// unsupported (the peer's declaration says so), skipped (the machine lacks something), error (ours).
package kit
