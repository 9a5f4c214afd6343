package ike

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// translated is where a NAT has the initiator: another address, and a port for each of its ports.
func translated(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), a.Port()+30000)
}

// crossing is a Phase 1 through a NAT, or past none, with what was sent.
type crossing struct {
	gm, ks   Config
	nat      bool
	i, r     *Exchange
	iSA, rSA *SA
	sent     []Datagram
	path     []string
	err      error
}

func newCrossing(nat bool) *crossing {
	c := &crossing{gm: config(rule.GM, "nat"), ks: config(rule.KS, "nat"), nat: nat}
	c.gm.NATT, c.ks.NATT = true, true
	c.gm.Suites = Suites([]policy.Proposal{{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA256, Group: policy.ECP256}}) // the quickest
	c.ks.Suites = c.gm.Suites
	return c
}

// seen is a member's address beyond the NAT.
func (c *crossing) seen(a netip.AddrPort) netip.AddrPort {
	if c.nat {
		return translated(a)
	}
	return a
}

// run takes the messages back and forth until nobody answers.
func (c *crossing) run() *crossing {
	var ds []Datagram
	c.i, ds = Initiate(c.gm, start, ksAddr)
	for toKS := true; len(ds) == 1 && len(c.sent) < 10; toKS = !toKS {
		d := ds[0]
		c.sent = append(c.sent, d)
		c.path = append(c.path, fmt.Sprintf("%s %d>%d", d.Kind, d.From.Port(), d.To.Port()))
		ds = c.deliver(toKS, d)
	}
	return c
}

func (c *crossing) deliver(toKS bool, d Datagram) (ds []Datagram) {
	var sa *SA
	if !d.From.IsValid() {
		d.From = map[bool]netip.AddrPort{true: gmAddr, false: ksAddr}[toKS]
	}
	switch {
	case !toKS:
		ds, sa, c.err = c.i.HandleAt(start, netip.AddrPortFrom(ksAddr.Addr(), d.From.Port()), netip.AddrPortFrom(gmAddr.Addr(), d.To.Port()%30000), d.Data)
	case c.r == nil:
		c.r, ds, c.err = Respond(c.ks, start, c.seen(d.From), d.Data)
	default:
		ds, sa, c.err = c.r.HandleAt(start, c.seen(d.From), d.To, d.Data)
	}
	if sa != nil && toKS {
		c.rSA = sa
	} else if sa != nil {
		c.iSA = sa
	}
	return ds
}

func TestMainModeThroughANAT(t *testing.T) {
	c := newCrossing(true).run()
	want := []string{"MM1 848>848", "MM2 848>30848", "MM3 848>848", "MM4 848>30848", "MM5 4500>4500", "MM6 4500>34500"}
	if !slices.Equal(c.path, want) || c.iSA == nil || c.rSA == nil {
		t.Fatalf("%v, %v", c.path, c.err)
	}
	if !c.iSA.BehindNAT() || c.rSA.BehindNAT() {
		t.Error("the initiator is behind the NAT")
	}
	if got := c.rSA.Peer(); got != translated(netip.AddrPortFrom(gmAddr.Addr(), natt.Port)) || c.rSA.Local().Port() != natt.Port {
		t.Errorf("the responder answers from %s to %s", c.rSA.Local(), got)
	}
	moved := netip.MustParseAddrPort("203.0.113.9:5")
	c.rSA.Follow(moved, c.rSA.Local())
	if d, err := c.rSA.SealDelete(c.ks.Rand); err != nil || d.To != moved || d.From.Port() != natt.Port {
		t.Errorf("%v to %s from %s", err, d.To, d.From)
	}
}

// aggressive has both sides speak Aggressive Mode.
func (c *crossing) aggressive() *crossing {
	c.gm.Mode, c.ks.Mode = policy.AggressiveMode, policy.AggressiveMode
	return c
}

func TestAggressiveModeThroughANAT(t *testing.T) {
	c := newCrossing(true).aggressive().run()
	want := []string{"AM1 848>848", "AM2 848>30848", "AM3 4500>4500"}
	if !slices.Equal(c.path, want) || c.iSA == nil || c.rSA == nil {
		t.Fatalf("%v, %v", c.path, c.err)
	}
	if !c.iSA.BehindNAT() || c.rSA.BehindNAT() {
		t.Error("the initiator is behind the NAT")
	}
	if got := c.rSA.Peer(); got != translated(netip.AddrPortFrom(gmAddr.Addr(), natt.Port)) || c.rSA.Local().Port() != natt.Port {
		t.Errorf("the responder answers from %s to %s", c.rSA.Local(), got)
	}
	if again, ok := c.iSA.Duplicate(c.sent[1].Data); !ok || len(again) != 1 || again[0].From.Port() != natt.Port || again[0].To.Port() != natt.Port {
		t.Errorf("a repeat of message 2 is answered with %+v", again)
	}
}

// A NAT-D of Aggressive Mode 3 that was made before the change of ports, as libreswan makes it, is no sign of a NAT in front of the responder.
func TestNATDOfTheFormerPort(t *testing.T) {
	c := newCrossing(true).aggressive()
	c.gm.Tap = on(core.Aggressive3, core.Built, func(o *core.Outgoing) {
		for i, end := range []netip.AddrPort{ksAddr, gmAddr} {
			o.Payloads[i] = isakmp.NATD{Data: keymat.NATD(keymat.SHA256, o.Header.InitiatorCookie, o.Header.ResponderCookie, end)}
		}
	})
	if c.run(); c.rSA == nil || c.rSA.BehindNAT() || c.rSA.Local().Port() != natt.Port {
		t.Errorf("%v, %v", c.path, c.err)
	}
}

func TestAggressiveModeWithoutNAT(t *testing.T) {
	for name, change := range map[string]func(*crossing){
		"no NAT":               func(c *crossing) { c.nat = false },
		"a responder without":  func(c *crossing) { c.ks.NATT = false },
		"an initiator without": func(c *crossing) { c.gm.NATT = false },
	} {
		c := newCrossing(true).aggressive()
		change(c)
		if c.run(); c.iSA == nil || c.rSA == nil || c.iSA.BehindNAT() {
			t.Errorf("%s: not established, %v", name, c.err)
		}
		if d := c.sent[2]; d.From.Port() == natt.Port || d.To.Port() != 848 {
			t.Errorf("%s: message 3 from %s to %s", name, d.From, d.To)
		}
	}
}

func TestMainModeWithoutNAT(t *testing.T) {
	for name, change := range map[string]func(*crossing){
		"no NAT":               func(c *crossing) { c.nat = false },
		"a responder without":  func(c *crossing) { c.ks.NATT = false },
		"an initiator without": func(c *crossing) { c.gm.NATT = false },
		"NAT-D for one end": func(c *crossing) {
			c.ks.Tap = on(core.MainMode4, core.Built, func(o *core.Outgoing) { o.Payloads = o.Payloads[:3] })
		},
	} {
		c := newCrossing(true)
		change(c)
		if c.run(); c.iSA == nil || c.rSA == nil || c.iSA.BehindNAT() {
			t.Errorf("%s: not established, %v", name, c.err)
		}
		if d := c.sent[4]; d.From.Port() == natt.Port || d.To.Port() != 848 {
			t.Errorf("%s: message 5 from %s to %s", name, d.From, d.To)
		}
	}
}

func TestBeginsOnPort4500(t *testing.T) {
	c := newCrossing(false)
	x, ds := Initiate(c.gm, start, netip.AddrPortFrom(ksAddr.Addr(), natt.Port))
	if x == nil || ds[0].From.Port() != natt.Port {
		t.Errorf("from %s", ds[0].From)
	}
}

func TestLeaveAndArrive(t *testing.T) {
	var c Config
	at := netip.AddrPortFrom(gmAddr.Addr(), natt.Port)
	message := newCrossing(true).run().sent[0].Data
	out := c.Leave(core.Send{From: at, To: ksAddr, Data: message, Kind: core.MainMode1})
	if got, err := c.Arrive(out.Data); err != nil || !bytes.Equal(got, message) || len(out.Data) != len(message)+natt.MarkerLen {
		t.Errorf("%x, %v", got, err)
	}
	if out := c.Leave(core.Send{From: gmAddr, To: ksAddr, Data: message}); !bytes.Equal(out.Data, message) {
		t.Error("a marker on another port")
	}
	alive := c.Keepalive(at, ksAddr)
	if got, err := c.Arrive(c.Leave(alive).Data); err != nil || got != nil || len(alive.Data) != 1 {
		t.Errorf("keepalive: %x, %v", got, err)
	}
	for n := range natt.MarkerLen {
		if got, err := c.Arrive(out.Data[:n]); err == nil {
			t.Errorf("%d octets: %x", n, got)
		}
	}
	if got, err := c.Arrive(message); err == nil {
		t.Errorf("without a marker: %x", got)
	}
	c.Tap = func(_ core.Stage, o *core.Outgoing) { o.Withhold = true }
	if c.Leave(alive) != nil {
		t.Error("what is withheld leaves")
	}
}

func FuzzArrive(f *testing.F) {
	f.Add([]byte{0xff})
	f.Add([]byte{0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Config
		if message, err := c.Arrive(b); err == nil && message != nil && len(message)+natt.MarkerLen != len(b) {
			t.Errorf("%x of %x", message, b)
		}
	})
}

// traversal notes what can be seen of a node behind a NAT, or in front of one.
func (o *observer) traversal() {
	for _, vendor := range []bool{true, false} {
		o.crossing(vendor)
	}
	c := Config{Rules: o.rules}
	at := netip.AddrPortFrom(gmAddr.Addr(), natt.Port)
	message := isakmp.Header{Length: isakmp.HeaderLen}.Append(nil)
	o.note("%x %x", c.Leave(core.Send{From: at, Data: message}).Data, c.Keepalive(at, at).Data)
	for _, data := range []string{"ff", "ffff", "00000000aabb", "00000001aabb"} {
		b, _ := hex.DecodeString(data)
		got, err := c.Arrive(b)
		o.note("%x %v", got, err)
	}
}

// crossing notes a Main Mode through a NAT with a peer that announces NAT traversal or does not.
func (o *observer) crossing(vendor bool) {
	c := newCrossing(true)
	mine, other := &c.gm, &c.ks
	if o.role == rule.KS {
		mine, other = other, mine
	}
	mine.Rules, other.NATT = o.rules, vendor
	identity := ""
	mine.Tap = func(s core.Stage, out *core.Outgoing) {
		if id, ok := out.Payloads[0].(isakmp.ID); ok && s == core.Built {
			identity = fmt.Sprint(id.Protocol, id.Port)
		}
	}
	mine.Tap = builtOnly(mine.Tap)
	c.run()
	o.note("%v identity %s established %v %v", c.path, identity, c.iSA != nil, c.rSA != nil)
	for n, d := range c.sent {
		if o.mine(n) && n < 4 {
			o.note("%s", discoveryOf(o.tb, c, d))
		}
	}
	if sa := c.rSA; sa != nil && o.role == rule.KS {
		o.note("answers from %s, former %v", sa.Local(), sa.Former(ksAddr))
	} else if sa := c.iSA; sa != nil {
		o.note("goes on from %s", sa.Local())
	}
}

func builtOnly(tap core.Tap) core.Tap {
	return func(s core.Stage, o *core.Outgoing) {
		if s == core.Built {
			tap(s, o)
		}
	}
}

// discoveryOf says what a message in clear has for NAT traversal.
func discoveryOf(tb testing.TB, c *crossing, d Datagram) (text string) {
	h := header(tb, d.Data)
	ps, _, _ := isakmp.Phase1.Parse(h.NextPayload, d.Data[isakmp.HeaderLen:], isakmp.HeaderLen)
	text = d.Kind.String()
	for _, p := range ps {
		switch v := p.Payload.(type) {
		case isakmp.VID:
			text += fmt.Sprintf(" VID %x", v.Data)
		case isakmp.NATD:
			text += fmt.Sprintf(" NAT-D right for the remote end %v", bytes.Equal(v.Data, c.i.natd(d.To)))
		}
	}
	return text
}
