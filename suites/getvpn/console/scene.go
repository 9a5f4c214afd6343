package console

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/console"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// up is a network of GET VPN whose group is changed so.
func up(ctx SpecContext, members int, change ...func(*policy.Group)) *lab.Lab {
	GinkgoHelper()
	return kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Members: members, Hosts: true, Group: func(g *policy.Group) {
		for _, c := range change {
			c(g)
		}
	}})
}

// types types a command at a device, which has to take it.
func types(ctx context.Context, device *lab.Peer, line string) console.Answer {
	GinkgoHelper()
	answer, err := device.Console(ctx, line)
	Expect(err).NotTo(HaveOccurred())
	return answer
}

// number is the number of a field that has to be there.
func number(a console.Answer, label string) int {
	GinkgoHelper()
	n, err := a.Number(label)
	Expect(err).NotTo(HaveOccurred())
	return n
}

// value is that of a field that has to be there.
func value(a console.Answer, label string) string {
	GinkgoHelper()
	v, ok := a.Value(label)
	Expect(ok).To(BeTrue(), "the field %q in %s", label, a.Text)
	return v
}

// sent are the messages of a kind since a mark that a node sent.
func sent(l *lab.Lab, since kit.Mark, kind string, from *lab.Peer) []capture.Message {
	return slices.DeleteFunc(kit.MessagesSince(l, since, kind), func(m capture.Message) bool { return m.From.Addr() != from.Addr().Addr() })
}

// awaits waits until a node has sent so many messages of a kind since a mark.
func awaits(ctx context.Context, l *lab.Lab, since kit.Mark, kind string, from *lab.Peer, n int) bool {
	return l.Wait(ctx, lab.Patience, func() bool { return len(sent(l, since, kind, from)) >= n })
}

// network is a prefix as access lists have it, for a regular expression.
func network(p netip.Prefix) string { return regexp.QuoteMeta(wildcard(p)) }

// tolerance is how far the pseudotimes of two nodes may lie apart, in seconds: they are read one after the other.
const tolerance = 2.0

// timeBased has a group use time-based anti-replay.
func timeBased(g *policy.Group) {
	for i := range g.SAs {
		g.SAs[i].AntiReplay = policy.AntiReplay{Method: policy.ReplayTime, Window: 10 * time.Second}
	}
}

// pseudotime is the one that a device shows, in seconds.
func pseudotime(a console.Answer) float64 {
	GinkgoHelper()
	return seconds(strings.TrimSuffix(value(a, "Replay Value"), " secs"))
}

func seconds(text string) float64 {
	GinkgoHelper()
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	Expect(err).NotTo(HaveOccurred())
	return n
}
