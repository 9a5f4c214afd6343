package iec61850

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The traffic of the group's SA, and its object identifier in DER, written by hand.
var (
	traffic    = policy.OIDName{OID: "1.2.840.10070.61850.8.1.2", Payload: "\xe0\x00\x01\x01"}
	trafficDER = "060b2a8648ce5683e31a080102"
)

// groupName names the group beside its number.
var groupName = policy.OIDName{OID: "1.2.840.10070.61850.8.1.1", Payload: "\x00\x07"}

// lifetime is that of the group's SAs.
const lifetime = time.Hour

// only has the group protect nothing but IEC 61850, by these algorithms; zero leaves them to the key server.
func only(t policy.Transform) func(*policy.Group) {
	t.Protocol = policy.ProtocolIEC61850
	return func(g *policy.Group) {
		g.SAs = []policy.SAPolicy{{Selector: policy.Selector{Traffic: traffic}, Transform: t, Lifetime: lifetime}}
	}
}

// plainly has the group protect IEC 61850 by HMAC-SHA256-128 alone.
func plainly(g *policy.Group) {
	only(policy.Transform{Authentication: policy.IECAuthHMACSHA256128, Encryption: policy.IECEncryptNone})(g)
}

// inCBC is plainly with encryption by AES-CBC.
func inCBC(g *policy.Group) {
	only(policy.Transform{Authentication: policy.IECAuthHMACSHA256, Encryption: policy.IECEncryptCBC128})(g)
}

// inGCM is a group with AES-GCM.
func inGCM(g *policy.Group) {
	only(policy.Transform{Authentication: policy.IECAuthNone, Encryption: policy.IECEncryptGCM128})(g)
}

// withGMAC is a group with AES-GMAC.
func withGMAC(g *policy.Group) {
	only(policy.Transform{Authentication: policy.IECAuthGMAC128, Encryption: policy.IECEncryptNone})(g)
}

// handled adds to plainly how the SA is to be handled: SA_ATD in seconds and SA_KDA in percent.
func handled(atd, kda int) func(*policy.Group) {
	return func(g *policy.Group) {
		plainly(g)
		g.SAs[0].Handling = policy.IECHandling{ATD: new(time.Duration(atd) * time.Second), KDA: new(kda)}
	}
}

// servant is a hasty member that hands out keys of IEC 61850.
func servant(_ int, m *policy.Member) {
	m.IEC61850 = true
	m.Phase1.Retransmit, m.Phase1.Retries, m.RetryDelay = 100*time.Millisecond, 2, 200*time.Millisecond
}

// scene is a key server and one member of such a group.
type scene struct {
	*lab.Lab
	ctx SpecContext
}

func stage(ctx SpecContext, group func(*policy.Group), member func(int, *policy.Member)) *scene {
	GinkgoHelper()
	s := &scene{kit.Lab(ctx, lab.Setup{Members: 1, Group: group, Member: member}), ctx}
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	return s
}

// begin has the member begin to register.
func (s *scene) begin() {
	GinkgoHelper()
	kit.Precondition(s.GM[0].Start(s.ctx), "the member starts")
}

// joined has the member be in the group.
func joined(ctx SpecContext, group func(*policy.Group)) *scene {
	GinkgoHelper()
	s := stage(ctx, group, servant)
	s.begin()
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the member registers")
	return s
}

// misbehave has the key server's messages go through the deviations; none ends that.
func (s *scene) misbehave(ds ...tester.Deviation) {
	GinkgoHelper()
	Expect(s.KS.Misbehave(tester.Taps(ds...))).To(Succeed())
}

// sent waits for a message of that kind since the mark and returns the first.
func (s *scene) sent(since kit.Mark, kind core.Kind) capture.Message {
	GinkgoHelper()
	var all []capture.Message
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		all = s.messages(since, kind)
		return len(all) > 0
	})).To(BeTrue(), "there is a %s", kind)
	return all[0]
}

// messages are those of that kind since the mark, without repeats.
func (s *scene) messages(since kit.Mark, kind core.Kind) []capture.Message {
	return slices.DeleteFunc(kit.MessagesSince(s.Lab, since, kind.String()), func(m capture.Message) bool { return m.Repeats != 0 })
}

// current is the SPI of the key server's only Data-Security SA.
func (s *scene) current() string {
	GinkgoHelper()
	status, err := s.KS.KSStatus(s.ctx)
	kit.Precondition(err, "the key server tells its state")
	kit.Reached(len(status.Groups) > 0 && len(status.Groups[0].SAs) > 0, "the key server has an SA")
	return status.Groups[0].SAs[0].SPI
}

// held are the SAs that the member says it has, by SPI.
func (s *scene) held() map[string]control.SA {
	GinkgoHelper()
	status, err := s.GM[0].GMStatus(s.ctx)
	kit.Precondition(err, "the member tells its state")
	held := make(map[string]control.SA)
	for _, sa := range status.SAs {
		held[sa.SPI] = sa
	}
	return held
}

// holds waits until the member has an SA, and reports whether it does.
func (s *scene) holds(spi string) bool {
	GinkgoHelper()
	return s.Wait(s.ctx, lab.Patience, func() bool { _, ok := s.held()[spi]; return ok })
}
