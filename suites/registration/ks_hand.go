package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksNonce is a nonce of messages made by hand.
var ksNonce = []byte("a nonce of 24 octets, ha")

// ksByHand begins a PULL with that Message ID under the latest Phase 1 SA of member i. Its messages are made by the spec;
// the member itself takes no notice of the answers.
func ksByHand(l *lab.Lab, i int, id uint32) *tester.Pull {
	GinkgoHelper()
	var phase1 keylog.Entry
	for _, e := range l.GM[i-1].Keys() {
		if e.Kind == keylog.KindPhase1 {
			phase1 = e
		}
	}
	var last []byte
	for _, d := range ksSent(l, l.KS, l.GM[i-1]) {
		if d.header.Exchange == isakmp.ExchangeMainMode && d.header.InitiatorCookie.String() == phase1.CookieI {
			last = d.data
		}
	}
	p, err := tester.NewPull(phase1, last, id)
	kit.Precondition(err, "there is a Phase 1 SA to use")
	return p
}

// ksPut puts a datagram on the WAN as if member i had sent it.
func ksPut(l *lab.Lab, i int, data []byte, err error) {
	GinkgoHelper()
	kit.Precondition(err, "the tester makes a message")
	packet, err := lab.UDPPacket(l.GM[i-1].Addr(), l.KS.Addr(), 64, data)
	kit.Precondition(err, "the tester makes a packet")
	l.Inject(l.GM[i-1].Name(), packet)
}

// ksFirst sends message 1 of a PULL by hand.
func ksFirst(l *lab.Lab, i int, p *tester.Pull, group uint32) {
	GinkgoHelper()
	data, err := p.First(ksNonce, group)
	ksPut(l, i, data, err)
}

// ksAnswered waits for the nth answer with that Message ID, from 1, and returns it.
func ksAnswered(ctx SpecContext, l *lab.Lab, i int, id uint32, n int) ksDatagram {
	GinkgoHelper()
	Expect(ksAwaitID(ctx, l, i, id, n)).To(BeTrue(), "the key server answers message %d of PULL %08x", 2*n-1, id)
	return ksWithID(l, i, id)[n-1]
}

// ksAwaitID waits for so many answers with that Message ID, and reports whether they came.
func ksAwaitID(ctx SpecContext, l *lab.Lab, i int, id uint32, n int) bool {
	return l.Wait(ctx, lab.Patience, func() bool { return len(ksWithID(l, i, id)) >= n })
}

// ksWithID returns the key server's different answers to member i with that Message ID.
func ksWithID(l *lab.Lab, i int, id uint32) []ksDatagram {
	var found []ksDatagram
	for _, d := range ksAnswers(l, i) {
		if d.header.MessageID == id {
			found = append(found, d)
		}
	}
	return found
}
