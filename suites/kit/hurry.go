package kit

import (
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Hurry has member i, if it gets no answer, ask again after so long, and after a registration that has failed begin another after so long,
// each as far as it can be told so: a device that cannot goes by its own time, and a spec only lasts longer. 0 is the usual time. It is for
// specs that are not about these times.
func Hurry(i int, c *policy.Member, retransmit, retryDelay time.Duration) {
	if CanTell(i, "Retransmit") {
		c.Phase1.Retransmit = retransmit
	}
	if CanTell(i, "RetryDelay") {
		c.RetryDelay = retryDelay
	}
}

// GivesUp has member i give up when so many repetitions of a message have brought no answer, as far as it can be told so.
func GivesUp(i int, c *policy.Member, repetitions int) {
	if CanTell(i, "Retries") {
		c.Phase1.Retries = repetitions
	}
}

// CanTell reports whether a field of the policy can be told to member i: a device may have no word for it.
func CanTell(i int, field string) bool {
	device, err := session.device()
	role := roleUnderTest(ginkgo.CurrentSpecReport().Labels())
	if err != nil || role == rule.KS || role == rule.GM && i > 1 {
		return true
	}
	gm := device.Role(rule.GM)
	return gm == nil || gm.Says(field)
}
