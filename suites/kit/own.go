package kit

import (
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

const aboutOwn = "this spec is about the reference's own code"

// otherCode names what a device is if it is not the reference, or one in its place.
func otherCode(device *peer.Manifest) string {
	if device.Name != peer.DefaultName {
		return device.Name
	}
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		if r := device.Role(role); r != nil {
			if c, ok := r.Core(); ok && !strings.HasPrefix(c.Name, peer.DefaultName+"-") {
				return c.Name
			}
		}
	}
	return ""
}

// Own returns the switches for a spec that holds the reference's code in its own hands, as altered by the run. With another
// device under test the spec would say nothing of it and ends as unsupported.
func Own() *rule.Switches {
	ginkgo.GinkgoHelper()
	device, err := session.device()
	if err != nil {
		end(verdict.Error, err.Error())
	}
	if other := otherCode(device); other != "" {
		Unsupported(aboutOwn + ", and the device is " + other)
	}
	rules, err := peer.Switches(session.Mutants)
	if err != nil {
		end(verdict.Error, err.Error())
	}
	return rules
}
