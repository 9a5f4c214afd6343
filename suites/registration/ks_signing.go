package registration

import (
	"crypto/x509"
	"encoding/hex"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The key that signs rekeys (RFC 6407 §4.1)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	for _, method := range []policy.Phase1Auth{policy.AuthRSA, policy.AuthECDSA256} {
		It("gives the public key of another key for rekeys than it proves itself with by "+method.String(), kit.Requirement("RFC6407-4.1-01"),
			func(ctx SpecContext) {
				p := policy.DefaultProposal
				p.Authentication, p.Group = method, policy.ECP256
				l := ksLab(ctx, lab.Signing(p, lab.Setup{}))
				ksJoined(ctx, l, 1)
				proof := kit.Last(kit.MessagesSince(l, 0, core.MainMode6.String()))
				shown := ksValues(proof, "CERT/Data")
				Expect(shown).NotTo(BeEmpty(), "there is a certificate to compare with")
				given := kit.Value(ksFourth(ctx, l, 1), ksKEK+"/SIG_ALGORITHM_KEY")
				Expect(given).NotTo(BeEmpty())
				for _, text := range shown {
					der, err := hex.DecodeString(text)
					Expect(err).NotTo(HaveOccurred())
					certificate, err := x509.ParseCertificate(der)
					Expect(err).NotTo(HaveOccurred())
					Expect(given).NotTo(Equal(hex.EncodeToString(certificate.RawSubjectPublicKeyInfo)))
				}
			})
	}
})
