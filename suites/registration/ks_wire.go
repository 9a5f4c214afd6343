package registration

import (
	"net/netip"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksDatagram is a key management message as the WAN shows it without any key.
type ksDatagram struct {
	from, to netip.AddrPort
	header   isakmp.Header
	data     []byte
	packet   []byte
}

// ksSent returns what one peer sent to another on port 848, oldest first, copies included.
func ksSent(l *lab.Lab, from, to *lab.Peer) []ksDatagram {
	var found []ksDatagram
	for _, f := range kit.WANSince(l, 0) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || ip.Source != from.Addr().Addr() || ip.Destination != to.Addr().Addr() {
			continue
		}
		if src, dst, data, ok := ip.UDP(); ok && dst.Port() == lab.Port {
			h, _ := isakmp.ParseHeader(data)
			found = append(found, ksDatagram{src, dst, h, data, f.Packet})
		}
	}
	return found
}

// ksAnswers returns the key server's different messages to member i that can be answers in a PULL.
func ksAnswers(l *lab.Lab, i int) []ksDatagram { return ksRegistering(ksSent(l, l.KS, l.GM[i-1])) }

// ksAsked returns the different messages of member i that can belong to a PULL.
func ksAsked(l *lab.Lab, i int) []ksDatagram { return ksRegistering(ksSent(l, l.GM[i-1], l.KS)) }

// ksRegistering leaves copies out, and what is of Main Mode or Informational.
func ksRegistering(ds []ksDatagram) []ksDatagram {
	var once []ksDatagram
	for _, d := range ds {
		other := d.header.Exchange == isakmp.ExchangeMainMode || d.header.Exchange == isakmp.ExchangeInformational
		if !other && !slices.ContainsFunc(once, func(have ksDatagram) bool { return string(have.data) == string(d.data) }) {
			once = append(once, d)
		}
	}
	return once
}

// ksUnder leaves those whose cookie pair begins with that cookie, or the others.
func ksUnder(ds []ksDatagram, cookie isakmp.Cookie, with bool) []ksDatagram {
	return slices.DeleteFunc(ds, func(d ksDatagram) bool { return (d.header.InitiatorCookie == cookie) != with })
}

func ksAwaitAnswers(ctx SpecContext, l *lab.Lab, i, n int) bool {
	return l.Wait(ctx, lab.Patience, func() bool { return len(ksAnswers(l, i)) >= n })
}

// ksAllPulls returns the different PULL messages of the key server, decoded, of one kind or of all if it is "".
func ksAllPulls(l *lab.Lab, kind string) []capture.Message {
	return slices.DeleteFunc(kit.MessagesSince(l, 0, kind), func(m capture.Message) bool {
		return m.From.Addr() != l.KS.Addr().Addr() || m.Repeats > 0 || (m.Kind != "PULL2" && m.Kind != "PULL4")
	})
}

// ksPulls returns those of one kind to member i.
func ksPulls(l *lab.Lab, i int, kind string) []capture.Message {
	return slices.DeleteFunc(ksAllPulls(l, kind), func(m capture.Message) bool { return m.To.Addr() != l.GM[i-1].Addr().Addr() })
}

// ksSecond waits for message 2 of the first registration of member i and returns it decoded.
func ksSecond(ctx SpecContext, l *lab.Lab, i int) capture.Message {
	GinkgoHelper()
	kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksAsked(l, i)) >= 1 }), "the member sends message 1")
	Expect(ksAwaitAnswers(ctx, l, i, 1)).To(BeTrue(), "the key server answers message 1")
	return ksReadable(ksPulls(l, i, "PULL2"))
}

// ksFourth waits for message 4 of that registration and returns it decoded.
func ksFourth(ctx SpecContext, l *lab.Lab, i int) capture.Message {
	GinkgoHelper()
	ksSecond(ctx, l, i)
	kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksAsked(l, i)) >= 2 }), "the member takes message 2 and sends message 3")
	Expect(ksAwaitAnswers(ctx, l, i, 2)).To(BeTrue(), "the key server answers message 3")
	return ksReadable(ksPulls(l, i, "PULL4"))
}

// ksReadable returns the last of the messages, which can be decrypted and read.
func ksReadable(messages []capture.Message) capture.Message {
	GinkgoHelper()
	Expect(messages).NotTo(BeEmpty(), "the answer is a message of the PULL")
	m := kit.Last(messages)
	Expect(m.Decrypted).To(BeTrue(), "the answer can be decrypted")
	Expect(m.Err).To(BeEmpty(), "the answer can be read")
	return m
}

// ksAll returns all fields of a message at that path of names, "SA/SAT/SPI".
func ksAll(m capture.Message, path string) []capture.Field {
	found := m.Payloads
	for depth, name := range strings.Split(path, "/") {
		if depth > 0 {
			found = ksInside(found)
		}
		found = slices.DeleteFunc(slices.Clone(found), func(f capture.Field) bool { return f.Name != name })
	}
	return found
}

func ksInside(fs []capture.Field) (inside []capture.Field) {
	for _, f := range fs {
		inside = append(inside, f.Children...)
	}
	return inside
}

// ksValues returns the values of the fields at that path.
func ksValues(m capture.Message, path string) []string {
	values := []string{}
	for _, f := range ksAll(m, path) {
		values = append(values, f.Value)
	}
	return values
}

// ksNames returns the names of the fields inside those at that path which the wanted ones are among, in their order.
func ksNames(m capture.Message, path string, wanted ...string) []string {
	names := []string{}
	for _, f := range ksInside(ksAll(m, path)) {
		if slices.Contains(wanted, f.Name) || len(wanted) == 0 {
			names = append(names, f.Name)
		}
	}
	return names
}
