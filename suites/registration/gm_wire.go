package registration

import (
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// pull is one GROUPKEY-PULL of gm1 as the WAN shows it, without any key: the headers are in clear.
type pull struct {
	began     time.Time
	initiator isakmp.Cookie
	id        uint32   // Message ID
	sent      []copies // by the member, each message once: message 1, then message 3
}

// copies are the datagrams with the same octets, by when they were sent.
type copies struct {
	data []byte
	at   []time.Time
}

// pulls returns the GROUPKEY-PULLs that gm1 has begun, oldest first.
func pulls(l *lab.Lab) []pull {
	var found []pull
	for _, f := range kit.WANSince(l, 0) {
		data, fromMember := datagramOf(f)
		h, err := isakmp.ParseHeader(data)
		if err != nil || !fromMember || h.Exchange != isakmp.ExchangePull {
			continue
		}
		if n := len(found); n == 0 || found[n-1].id != h.MessageID || found[n-1].initiator != h.InitiatorCookie {
			found = append(found, pull{began: f.At, initiator: h.InitiatorCookie, id: h.MessageID})
		}
		found[len(found)-1].note(f.At, data)
	}
	return found
}

func (p *pull) note(at time.Time, data []byte) {
	for i := range p.sent {
		if string(p.sent[i].data) == string(data) {
			p.sent[i].at = append(p.sent[i].at, at)
			return
		}
	}
	p.sent = append(p.sent, copies{data: data, at: []time.Time{at}})
}

// datagramOf returns the key management datagram in a frame, if there is one, and whether gm1 sent it.
func datagramOf(f capture.Frame) (data []byte, fromMember bool) {
	ip, ok := lab.ParseIPv4(f.Packet)
	if !ok {
		return nil, false
	}
	from, to, data, ok := ip.UDP()
	if !ok || to.Port() != lab.Port {
		return nil, false
	}
	return data, from.Addr() == lab.MemberAddr(1)
}

// awaitPulls waits until the member has begun so many GROUPKEY-PULLs.
func awaitPulls(ctx SpecContext, l *lab.Lab, n int) bool {
	return l.Wait(ctx, lab.Patience, func() bool { return len(pulls(l)) >= n })
}

// messages decodes what has crossed the WAN of that kind from the node at that address, repeats left out.
func messages(l *lab.Lab, kind string, from *lab.Peer) []capture.Message {
	var found []capture.Message
	for _, m := range kit.MessagesSince(l, 0, kind) {
		if m.From.Addr() == from.Addr().Addr() && m.Repeats == 0 {
			found = append(found, m)
		}
	}
	return found
}

// datagram returns the key management datagram in a frame of the WAN by its number, as messages tell it.
func datagram(l *lab.Lab, frame int) []byte {
	data, _ := datagramOf(kit.WANSince(l, 0)[frame-1])
	return data
}

// answers counts the key server's PULL messages, and lets a spec interfere with them. On the netns fabric they cross while
// the spec runs.
type answers struct {
	mu   sync.Mutex
	seen int
}

func (a *answers) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

// intercept has f see each PULL message of the key server from now on, numbered from 1: in an exchange without repetitions
// message 2 and message 4.
func intercept(l *lab.Lab, f func(n int, c *lab.Crossing)) *answers {
	a := &answers{}
	l.Intercept(func(c *lab.Crossing) {
		data, fromMember := datagramOf(capture.Frame{Packet: c.Packet})
		h, err := isakmp.ParseHeader(data)
		if err != nil || fromMember || h.Exchange != isakmp.ExchangePull {
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seen++
		f(a.seen, c)
	})
	return a
}
