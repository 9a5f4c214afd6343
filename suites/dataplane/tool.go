package dataplane

import (
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Hosts with tools of their own (RFC 6407 §4, RFC 5374 §4.2.1)", kit.Subject("dataplane"), kit.DUT(rule.Both), func() {
	It("the machine's own ping loses nothing through two rekeys, and nothing of it is seen in clear",
		kit.Requirement("RFC6407-5.4.1-03", "RFC5374-4.2.1-07"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
			if _, err := exec.LookPath("ping"); err != nil {
				kit.Missing("this machine has no ping (Debian's iputils-ping)")
			}
			s := smooth(ctx, withTransform(lab.GCM()))
			before, first := kit.Now(s.Lab), s.sending(0)
			host, ok := s.Hosts[0].(lab.Toolbox)
			kit.Reached(ok, "the hosts of a fabric with a kernel have its tools")
			wait, err := host.Run(ctx, "ping", "-n", "-i", "0.05", "-c", "80", "-W", "2", s.Hosts[1].Addr().String())
			kit.Precondition(err, "ping starts")
			s.Wait(ctx, lab.Patience, func() bool { return len(kit.ESPSince(s.Lab, before)) > 20 })
			spis := []string{first, s.follow(control.RekeyArgs{}), s.follow(control.RekeyArgs{KEK: true})}
			out, err := wait()
			Expect(err).NotTo(HaveOccurred(), out)
			Expect(out).To(ContainSubstring("80 packets transmitted, 80 received, 0% packet loss"))
			s.once(before)
			Expect(spisOf(s.onWAN(before), 1)).To(Equal(spis), "the SAs that gm1 used, one after the other")
		})
})
