package member_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// course is the conversation of a member with its key server, whose messages are held until a step delivers them.
type course struct {
	*lab
	given [][]byte // the key server's messages, in their order
	held  []*core.Datagram
	owed  []func() []byte // PUSH messages that are still to be made
}

func newCourse(t *testing.T) *course {
	cfg := config()
	cfg.Phase1.Proposals = []policy.Proposal{{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA256, Group: policy.ECP256}}
	c := &course{lab: newLabWith(t, cfg, nil)}
	c.ks.suites = cfg.Phase1.Proposals
	c.owed = []func() []byte{
		func() []byte { return c.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}}) },
		func() []byte {
			return c.ks.makePush(pushSpec{seq: 2, rekey: kek(2), sas: []policy.TrafficSA{gcm(0x2002)}})
		},
	}
	c.takes(&core.Start{})
	return c
}

// takes gives the member an event and holds what the key server answers.
func (c *course) takes(ev core.Event) {
	c.effects(c.gm.Handle(c.now, ev))
	for _, d := range c.pending {
		c.given = append(c.given, d.Data)
	}
	c.held, c.pending = append(c.held, c.pending...), nil
}

// step delivers the next message as it should be. A member that has registered gets a PUSH.
func (c *course) step() {
	if len(c.held) == 0 && len(c.owed) > 0 && c.status().State == "registered" {
		push := c.owed[0]()
		c.owed = c.owed[1:]
		c.given = append(c.given, push)
		c.held = append(c.held, &core.Datagram{From: ksAddress, To: gmAddress, Data: push})
	}
	if len(c.held) == 0 {
		return
	}
	next := c.held[0]
	c.held = c.held[1:]
	c.takes(&core.Datagram{From: next.From, To: next.To, Data: bytes.Clone(next.Data)})
}

// FuzzConversation has messages of a key server come altered, again, too early or from elsewhere, at any point of a registration and
// of two rekeys. The member installs nothing but what the key server has given it, a PUSH that was altered behind its header
// changes nothing, and whatever happened the member is registered in the end.
func FuzzConversation(f *testing.F) {
	for which := range byte(8) {
		advance := make([]byte, 4*int(which))
		f.Add(append(advance, which, 1, 200, 1, which, 132, 16, 0, which, 0, 0, 1))
		f.Add(append(advance, which, 9, 0, 4, which, 11, 0, 1, which, 2, 4, 0x81))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		c := newCourse(t)
		for _, s := range wiretest.Steps(script, 24) {
			if s.How == 0 && s.Value == 0 {
				c.step()
				continue
			}
			c.disturb(t, s)
		}
		for range 20 {
			c.step()
		}
		c.lab.run(10 * time.Minute)
		if got := c.status(); got.State != "registered" || len(got.SAs) == 0 {
			t.Errorf("in the end it is %s with %d SAs:\n%s", got.State, len(got.SAs), c.story())
		}
	})
}

// disturb gives the member a message of the key server as the step says.
func (c *course) disturb(t *testing.T, s wiretest.Step) {
	t.Helper()
	genuine := s.Choose(c.given)
	data, from := s.Alter(genuine), ksAddress
	if s.Value >= 192 {
		from = netip.MustParseAddrPort("203.0.113.9:848")
	}
	before := c.status()
	c.takes(&core.Datagram{From: from, To: gmAddress, Data: data})
	after := c.status()
	if after.Sequence != before.Sequence && after.Rekey == before.Rekey && !wiretest.SameBody(data, genuine) {
		t.Errorf("%x instead of %x is taken as PUSH %d", data, genuine, after.Sequence)
	}
	for _, sa := range after.SAs {
		if !slices.Contains([]string{"00001001", "00002001", "00002002"}, sa.SPI) {
			t.Errorf("%x installs the SA %s, which nobody gave it", data, sa.SPI)
		}
	}
	if before.State != "registered" && len(after.SAs) > 0 && !wiretest.SameBody(data, genuine) {
		t.Errorf("%x instead of %x installs SAs", data, genuine)
	}
}
