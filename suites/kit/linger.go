package kit

import (
	"context"
	"strconv"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
)

// A member may have taken a rekey and yet go on under the SA before until that is about to end: no delay says when it has to go over (RFC
// 6407 §5.4.1). Which SA it has then shows once those before are deleted, or by what it opens.

// Lingers reports whether member i goes on so, by its declaration.
func Lingers(l *lab.Lab, i int) bool { return l.GM[i-1].Lacks("early-rollover") != "" }

// GoOver has member i, if it lingers, send under the SAs of a rekey from now on. Of several groups the one is to be said that it is of.
func GoOver(ctx context.Context, l *lab.Lab, i int, spis []string, group ...uint32) {
	ginkgo.GinkgoHelper()
	if Lingers(l, i) {
		Reached(Keeps(ctx, l, i, spis, group...), "the member takes a Delete of the SAs before")
	}
}

// Keeps has the key server delete all SAs of a group that were ever handed out but these, and reports whether member i takes that.
func Keeps(ctx context.Context, l *lab.Lab, i int, spis []string, group ...uint32) bool {
	ginkgo.GinkgoHelper()
	args := control.RekeyArgs{Announce: true}
	if len(group) > 0 {
		args.Group = group[0]
	}
	Precondition(l.KS.Misbehave(tester.OnlyDeletes("Deletes of what was before", tester.DeleteESP(numbers(missing(handedOut(l), spis))...)).Tap),
		"the tester makes a Delete")
	deletes := Rekey(ctx, l, args)
	Precondition(l.KS.Misbehave(nil), "the tester goes on as it should")
	return Takes(ctx, l, i, deletes)
}

// Follows waits until member i uses the SA of a rekey, and reports whether it does: it sends to the host behind member j under it. One
// that lingers is had to go over.
func Follows(ctx context.Context, l *lab.Lab, i, j int, spi string) bool {
	ginkgo.GinkgoHelper()
	GoOver(ctx, l, i, []string{spi})
	return SwitchesTo(ctx, l, i, j, spi)
}

// numbers are SPIs as numbers.
func numbers(spis []string) (all []uint32) {
	ginkgo.GinkgoHelper()
	for _, spi := range spis {
		n, err := strconv.ParseUint(spi, 16, 32)
		Precondition(err, "an SPI is a number")
		all = append(all, uint32(n))
	}
	return all
}
