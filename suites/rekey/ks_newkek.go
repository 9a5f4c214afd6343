package rekey

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("SAK and KEK packet in a GROUPKEY-PUSH of a key server (RFC 6407 §4.3, §5.3, §5.6.2)", kit.Subject("rekey"), kit.DUT(rule.KS), func() {
	sights(control.RekeyArgs{KEK: true}, []sight{
		{"a new KEK with a SAK that leaves out nothing of what the one of the registration says",
			[]string{"RFC6407-4.3-02", "RFC6407-5.3-08", "RFC6407-5.3-09", "RFC6407-5.3.3-01", "RFC6407-5.3.7-01"}, func(p seen) {
				given, pushed := said(p.pull2), said(p.Message)
				Expect(given).NotTo(BeEmpty())
				Expect(pushed).To(Equal(given))
			}},
		{"a new KEK with a public key beside it, and nothing else", []string{"RFC6407-5.6.2-01", "RFC6407-5.6.2.2-01"}, func(p seen) {
			var names []string
			for _, f := range children(children(p.Payloads, "KD"), "Key Packet KEK") {
				names = append(names, f.Name)
			}
			Expect(names).To(ConsistOf("SPI", "KEK_ALGORITHM_KEY", "SIG_ALGORITHM_KEY"))
		}},
		{"a rekey whose reserved fields are 0", []string{"RFC6407-5.2-08", "RFC6407-5.3-02", "RFC6407-5.3-06", "RFC6407-5.5-02", "RFC6407-5.6-01"}, func(p seen) {
			Expect(reservedIn(p.Payloads)).To(BeEmpty())
		}},
	})
})

// said is what a SAK says that does not change with the KEK, as name and value.
func said(m capture.Message) (all []string) {
	for _, f := range children(children(m.Payloads, "SA"), "SAK") {
		if !slices.Contains([]string{"SPI", "KEK_KEY_LIFETIME"}, f.Name) {
			all = append(all, f.Name+" "+f.Value)
		}
	}
	return all
}

// reservedIn are the reserved fields, which a reader shows if they are not 0.
func reservedIn(fields []capture.Field) (found []capture.Field) {
	for _, f := range fields {
		if strings.HasPrefix(f.Name, "RESERVED") {
			found = append(found, f)
		}
		found = append(found, reservedIn(f.Children)...)
	}
	return found
}
