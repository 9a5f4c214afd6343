package ike

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// FuzzConversation has messages of a Main Mode come altered, again, too early or from elsewhere, at either side and at any point
// of it. No message that was altered behind its header may establish an SA; if none was taken the exchange comes to its right
// end, and whatever happened a new one does.
func FuzzConversation(f *testing.F) {
	for which := range byte(6) {
		f.Add([]byte{which, 0, 0, 1, which, 1, 200, 1, 0, 0, 0, 0})
		f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, which, 9, 0, 4, which, 132, 16, 0, 0, 0, 0, 0})
		f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, which, 11, 0, 1, which, 2, 4, 0x80})
	}
	quick := suiteOf(policy.Phase1AES, 128, policy.Phase1SHA256, policy.ECP256) // its messages 5 and 6 have no padding
	f.Fuzz(func(t *testing.T, script []byte) {
		p := pairOf("script", quick)
		p.begin()
		taken := false
		for _, s := range wiretest.Steps(script, 24) {
			if s.Value&1 == 0 && s.How == 0 {
				p.next()
				continue
			}
			taken = p.disturb(t, s) || taken
		}
		p.drain()
		if !taken {
			p.wantSA(t)
		}
		again := pairOf("afterwards", quick)
		again.run()
		again.wantSA(t)
	})
}

// next delivers the next message as it should be.
func (p *pair) next() {
	if len(p.queue) > 0 {
		q := p.queue[0]
		p.queue = p.queue[1:]
		p.take(q)
	}
}

// disturb gives one side a message of the conversation as the step says, and reports whether that changed anything.
func (p *pair) disturb(t *testing.T, s wiretest.Step) bool {
	t.Helper()
	var sent [][]byte
	for _, d := range p.onWire {
		sent = append(sent, d.Data)
	}
	genuine := s.Choose(sent)
	data := s.Alter(genuine)
	x, from := p.i, ksAddr
	if s.Which >= 128 {
		x, from = p.r, gmAddr
	}
	if s.Value >= 192 {
		from = netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), from.Port())
	}
	if x == nil {
		_, _, err := Respond(p.ks, p.now, from, data)
		wantReason(t, err)
		return false
	}
	expected := x.expect
	_, sa, err := x.Handle(p.now, from, data)
	wantReason(t, err)
	if sa != nil && !wiretest.SameBody(data, genuine) {
		t.Errorf("established by %x instead of %x", data, genuine)
	}
	if err != nil && (sa != nil || x.expect != expected) {
		t.Errorf("refused (%v), and yet it goes on", err)
	}
	return err == nil && x.expect != expected
}
