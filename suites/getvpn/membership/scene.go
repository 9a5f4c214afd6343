package membership

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// subject is not that of the suite for multicast groups of a member (RFC 6407 §5.3).
const subject = "getvpn-membership"

// sides are the roles of a device where it takes either part in what is watched.
var sides = []struct {
	role rule.Role
	who  string
}{{rule.KS, "the key server"}, {rule.GM, "the member"}}

// of is a network of so many members whose group is altered so.
func of(members int, alter ...func(*policy.Group)) lab.Setup {
	return lab.Setup{Profile: policy.ProfileGETVPN, Members: members, Member: hasty, Group: func(g *policy.Group) {
		for _, change := range alter {
			change(g)
		}
	}}
}

// hasty has a member that gets no answer ask again soon.
func hasty(i int, c *policy.Member) { kit.Hurry(i, c, 200*time.Millisecond, 200*time.Millisecond) }

// acknowledged asks for acknowledgements of rekeys.
func acknowledged(g *policy.Group) { g.Rekey.Ack = policy.AckKEKSHA256 }

// promptly has members send under a new SA a second after they have it. Otherwise they would 30 s before the one before ends.
func promptly(g *policy.Group) { g.Activation.ATD = new(time.Second) }

// repeated has a rekey be sent so often again, at that interval.
func repeated(times int, interval time.Duration) func(*policy.Group) {
	return func(g *policy.Group) { g.Rekey.Retransmit, g.Rekey.Interval = times, interval }
}

// lasting gives TEKs and KEK these lifetimes.
func lasting(tek, kek time.Duration) func(*policy.Group) {
	return func(g *policy.Group) {
		g.Rekey.KEKLifetime = kek
		for i := range g.SAs {
			g.SAs[i].Lifetime = tek
		}
	}
}

// talk is the key management on the wire since the mark, without repetitions and without what one side merely informs the other of.
func talk(l *lab.Lab, since kit.Mark) []capture.Message {
	return slices.DeleteFunc(kit.MessagesSince(l, since, ""), func(m capture.Message) bool {
		return m.Header == nil || m.Repeats > 0 || m.Kind == core.Informational.String()
	})
}

// kinds are the kinds of messages, in their order.
func kinds(ms []capture.Message) (all []string) {
	for _, m := range ms {
		all = append(all, m.Kind)
	}
	return all
}

// between are the messages that go from one of the addresses to the other.
func between(ms []capture.Message, a, b netip.Addr) []capture.Message {
	return slices.DeleteFunc(slices.Clone(ms), func(m capture.Message) bool {
		from, to := m.From.Addr(), m.To.Addr()
		return (from != a || to != b) && (from != b || to != a)
	})
}

// only are the messages of that kind.
func only(ms []capture.Message, kind core.Kind) []capture.Message {
	return slices.DeleteFunc(slices.Clone(ms), func(m capture.Message) bool { return m.Kind != kind.String() })
}

// given waits for the last message of that kind to member i.
func given(ctx SpecContext, l *lab.Lab, i int, kind core.Kind) capture.Message {
	GinkgoHelper()
	var to []capture.Message
	Expect(l.Wait(ctx, lab.Patience, func() bool {
		to = slices.DeleteFunc(only(talk(l, 0), kind), func(m capture.Message) bool { return m.To.Addr() != l.GM[i-1].Addr().Addr() })
		return len(to) > 0
	})).To(BeTrue(), "%s is sent to gm%d", kind, i)
	return to[len(to)-1]
}

// parts are the fields of that name below a path.
func parts(m capture.Message, path ...string) (found []capture.Field) {
	var walk func(fs []capture.Field, path []string)
	walk = func(fs []capture.Field, path []string) {
		for _, f := range fs {
			switch {
			case f.Name != path[0]:
			case len(path) == 1:
				found = append(found, f)
			default:
				walk(f.Children, path[1:])
			}
		}
	}
	walk(m.Payloads, path)
	return found
}

// values are those of the children of that name in each of the fields.
func values(fs []capture.Field, name string) (all []string) {
	for _, f := range fs {
		for _, c := range f.Children {
			if c.Name == name {
				all = append(all, c.Value)
			}
		}
	}
	return all
}

// pushes are the datagrams of PUSH messages since the mark, repetitions with them.
func pushes(l *lab.Lab, since kit.Mark) []capture.Message {
	return kit.MessagesSince(l, since, core.Push.String())
}

// toward counts the datagrams of PUSH messages to member i since the mark.
func toward(l *lab.Lab, since kit.Mark, i int) (n int) {
	for _, m := range pushes(l, since) {
		if m.To.Addr() == l.GM[i-1].Addr().Addr() {
			n++
		}
	}
	return n
}

// acks are the acknowledgements of member i on the wire since the mark.
func acks(l *lab.Lab, since kit.Mark, i int) []capture.Message {
	return slices.DeleteFunc(kit.MessagesSince(l, since, core.PushACK.String()), func(m capture.Message) bool {
		return m.From.Addr() != l.GM[i-1].Addr().Addr()
	})
}

// counted are the members that the key server counts in its groups, by the number of the group, in the order of their addresses.
func counted(ctx SpecContext, l *lab.Lab) map[uint32][]string {
	GinkgoHelper()
	status, err := l.KS.KSStatus(ctx)
	kit.Precondition(err, "the key server shows its members")
	of := make(map[uint32][]string)
	for _, g := range status.Groups {
		for _, m := range g.Members {
			of[g.ID] = append(of[g.ID], addressOf(m))
		}
		slices.Sort(of[g.ID])
	}
	return of
}

// addressOf is the address of a member without its port.
func addressOf(m control.KSMember) string {
	host, _, _ := strings.Cut(m.Address, ":")
	return host
}

// addresses are those of some members.
func addresses(l *lab.Lab, members ...int) (all []string) {
	for _, i := range members {
		all = append(all, l.GM[i-1].Addr().Addr().String())
	}
	return all
}
