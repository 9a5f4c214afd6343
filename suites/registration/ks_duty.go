package registration

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksDuty is something that a key server owes in what it sends, in one sentence.
type ksDuty struct {
	sentence    string
	requirement string // with spaces between
	group       func(*policy.Group)
	holds       func(m capture.Message)
}

// ksSecondOwes makes a spec of each row, about message 2.
func ksSecondOwes(rows []ksDuty) {
	for _, r := range rows {
		It(r.sentence, kit.Requirement(strings.Fields(r.requirement)...), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Group: r.group})
			ksCome(ctx, l, 1)
			r.holds(ksSecond(ctx, l, 1))
		})
	}
}

// ksFourthOwes makes a spec of each row, about messages 2 and 4. What is judged has the payloads of both.
func ksFourthOwes(rows []ksDuty) {
	for _, r := range rows {
		It(r.sentence, kit.Requirement(strings.Fields(r.requirement)...), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Group: r.group})
			ksCome(ctx, l, 1)
			m := ksSecond(ctx, l, 1)
			m.Payloads = append(m.Payloads[:len(m.Payloads):len(m.Payloads)], ksFourth(ctx, l, 1).Payloads...)
			r.holds(m)
		})
	}
}

// ksIs demands that there are fields at the path, and that each has the value.
func ksIs(path, value string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksValues(m, path)).To(And(Not(BeEmpty()), HaveEach(value)), path)
	}
}

// ksHas demands that the fields at the path have these values, in this order.
func ksHas(path string, values ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksValues(m, path)).To(Equal(values), path)
	}
}

// ksLacks demands that there are things at the path, and that none has a field of that name.
func ksLacks(path, name string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksAll(m, path)).NotTo(BeEmpty(), path)
		Expect(ksAll(m, path+"/"+name)).To(BeEmpty(), "%s in %s", name, path)
	}
}

// ksReserved demands that there are payloads at the path and that their reserved field of so many octets is zero.
func ksReserved(path string, octets int) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksAll(m, path)).NotTo(BeEmpty(), path)
		for _, f := range ksAll(m, path+"/RESERVED") { // shown if not zero
			Expect(f.Length).NotTo(Equal(octets), "the reserved field of %s is %s", path, f.Value)
		}
	}
}

// ksOctets demands that there are fields at the path, and that each takes so many octets on the wire: an attribute of four
// is in Basic form, one of 4+n in Variable form with n octets.
func ksOctets(path string, octets int) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		fields := ksAll(m, path)
		Expect(fields).NotTo(BeEmpty(), path)
		for _, f := range fields {
			Expect(f.Length).To(Equal(octets), "octets of %s", path)
		}
	}
}

// ksBasic demands that these attributes are there, in Basic form.
func ksBasic(path string, names ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		for _, name := range names {
			ksOctets(path+"/"+name, ksAttribute)(m)
		}
	}
}

// ksBasicIfSent demands of these attributes, which may be left out, that they are in Basic form.
func ksBasicIfSent(path string, names ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		ksBasic(path, slices.DeleteFunc(slices.Clone(names), func(name string) bool { return len(ksAll(m, path+"/"+name)) == 0 })...)(m)
	}
}

// ksAttribute is what an attribute in Variable form has before its value, and all of one in Basic form.
const ksAttribute = 4

// ksEach demands several things.
func ksEach(checks ...func(capture.Message)) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		for _, check := range checks {
			check(m)
		}
	}
}
