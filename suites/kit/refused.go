package kit

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a device says of its refusals supports what the wire and the data plane show, and no more: a device that says nothing is
// judged by these alone. Where only its word could decide, a spec asks lab.Peer, which ends it as unsupported.

// Refused is how often the peer says that it has refused something for the requirement; 0 if it does not say.
func Refused(ctx context.Context, p *lab.Peer, id rule.ID) uint64 {
	if !p.Offers(peer.ControlStatus) {
		return 0
	}
	return p.Refused(ctx, id)
}

// AwaitRefusal waits until the peer says that it has refused more than so much for the requirement, or until something else has
// come about. A peer that does not say so gets the time to settle. It reports false if nothing was said that could have been.
func AwaitRefusal(ctx context.Context, l *lab.Lab, p *lab.Peer, id rule.ID, before uint64, otherwise func() bool) bool {
	if !p.Offers(peer.ControlStatus) {
		l.Wait(ctx, Settle, otherwise)
		return true
	}
	l.Wait(ctx, lab.Patience, func() bool { return p.Refused(ctx, id) > before || otherwise() })
	return p.Refused(ctx, id) > before
}

// Never is for waiting for nothing else.
func Never() bool { return false }

// ExpectRefused expects of what the peer says it has refused for the requirement, if it says so, to match.
func ExpectRefused(ctx context.Context, p *lab.Peer, id rule.ID, matcher gomegatypes.GomegaMatcher, what ...any) {
	ginkgo.GinkgoHelper()
	if p.Offers(peer.ControlStatus) {
		gomega.Expect(p.Refused(ctx, id)).To(matcher, what...)
	}
}

// ExpectRefusalLogged expects a line for the requirement in the peer's log, if it has lines for refusals. The log comes its own
// way and may be later than what else shows the refusal.
func ExpectRefusalLogged(ctx context.Context, l *lab.Lab, p *lab.Peer, id rule.ID) {
	ginkgo.GinkgoHelper()
	if p.Tells(refused) {
		logged := l.Wait(ctx, lab.Patience, func() bool { return RefusalsLogged(p, id) > 0 })
		gomega.Expect(logged).To(gomega.BeTrue(), "%s logs a refusal for %s", p.Name(), id)
	}
}

// RefusalsLogged counts the lines for refusals for the requirement; 0 if the peer's log has none of that kind.
func RefusalsLogged(p *lab.Peer, id rule.ID) (n int) {
	if !p.Tells(refused) {
		return 0
	}
	for _, line := range p.Logged(refused) {
		if line.Requirement == string(id) {
			n++
		}
	}
	return n
}

const refused = "REFUSED"
