package rekey

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// refusal is a PUSH that a member has to drop.
type refusal struct {
	what      string                        // "drops a rekey " …
	requires  []rule.ID                     // the first is the one that the member names
	deviation tester.Deviation              // from a right PUSH
	args      control.RekeyArgs             // of the PUSH; nothing: new Data-Security SAs
	group     []func(*policy.Group)         // beside the defaults
	made      func(*scene) tester.Deviation // instead of deviation, where it takes the group's keys to make it
}

// refusals makes a spec of each row: the member goes on as if the message had not come, and takes the next one.
func refusals(rows []refusal) {
	for _, r := range rows {
		It("drops a rekey "+r.what, kit.Requirement(ids(r.requires)...), kit.Negative, func(ctx SpecContext) { drops(ctx, r) })
	}
}

func ids(requires []rule.ID) []string {
	var all []string
	for _, id := range requires {
		all = append(all, string(id))
	}
	return all
}

// drops has the member get the wrong message and then a right one. It carries out and acknowledges only that.
func drops(ctx SpecContext, r refusal) {
	GinkgoHelper()
	s := group(ctx, r.group...)
	before := s.protects()
	if r.made != nil {
		r.deviation = r.made(s)
	}
	said, since, named := s.refusals(r.requires[0]), kit.Now(s.Lab), r.requires[0]

	s.rekey(r.args, r.deviation)
	s.refuses(named, said, since)
	Expect(s.sending()).To(Equal(before), "it goes on with the keys it had")

	right := s.rekey(control.RekeyArgs{})
	followed := s.follows(right)
	Expect(s.taken(since)).To(HaveEach(right.Sequence), "it acknowledges nothing but the next rekey")
	kit.Control(followed, "it takes the next rekey, which is right")
	s.expectRefused(named, said+1, "its log says that it refused the message for %s", named)
	Expect(s.pulls(since)).To(BeEmpty(), "it has no reason to register again")
}
