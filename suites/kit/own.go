package kit

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Own returns the switches for a spec that holds the reference's code in its own hands, as altered by the run. With another
// device under test the spec would say nothing of it and ends as unsupported.
func Own() *rule.Switches {
	ginkgo.GinkgoHelper()
	device, err := session.device()
	if err != nil {
		end(verdict.Error, err.Error())
	}
	if device.Name != peer.DefaultName {
		Unsupported("this spec is about the reference's own code, and the device is " + device.Name)
	}
	rules, err := peer.Switches(session.Mutants)
	if err != nil {
		end(verdict.Error, err.Error())
	}
	return rules
}
