package pcapdiff

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// message compares two messages of the same kind.
func (c *comparison) message(a, b *capture.Message) {
	c.report.Compared++
	c.ports(a, b)
	c.header(a, b)
	closedA, closedB := a.Encrypted && !a.Decrypted, b.Encrypted && !b.Decrypted
	switch {
	case closedA && closedB:
		c.report.Closed++
		return
	case closedA != closedB:
		c.differs(a, b, Outcome, "decryption", opened(!closedA), opened(!closedB))
		return
	}
	c.fields(scope{a: a, b: b}, a.Payloads, b.Payloads)
	c.checks(a, b)
	if a.Err != b.Err {
		c.differs(a, b, Outcome, "form", orNothing(a.Err), orNothing(b.Err))
	}
}

func opened(yes bool) string {
	if yes {
		return "opened"
	}
	return "no key opens it"
}

func orNothing(s string) string {
	if s == "" {
		return "sound"
	}
	return s
}

// ephemeral is where ports begin that a sender chooses as it likes.
const ephemeral = 1024

// ports compares the UDP ports but for those that both senders chose freely.
func (c *comparison) ports(a, b *capture.Message) {
	for _, p := range []struct {
		name string
		a, b uint16
	}{{"UDP source port", a.From.Port(), b.From.Port()}, {"UDP destination port", a.To.Port(), b.To.Port()}} {
		if p.a != p.b && (p.a < ephemeral || p.b < ephemeral) {
			c.differs(a, b, Value, p.name, strconv.Itoa(int(p.a)), strconv.Itoa(int(p.b)))
		}
	}
}

// header compares the ISAKMP headers. Length and Next Payload follow from what is behind them.
func (c *comparison) header(a, b *capture.Message) {
	h, o := a.Header, b.Header
	for _, f := range []struct {
		name string
		a, b string
	}{
		{"Version", fmt.Sprintf("%d.%d", h.Version>>4, h.Version&15), fmt.Sprintf("%d.%d", o.Version>>4, o.Version&15)},
		{"Exchange", h.Exchange.String(), o.Exchange.String()},
		{"Flags", h.Flags.String(), o.Flags.String()},
	} {
		if f.a != f.b {
			c.differs(a, b, Value, "HDR/"+f.name, f.a, f.b)
		}
	}
	if a.Kind == "PUSH" || a.Kind == "PUSH-ACK" { // the pair is the SPI of a Rekey SA
		c.named(a, b, "HDR/Cookies", cookies(a), cookies(b))
	} else {
		c.named(a, b, "HDR/Initiator Cookie", h.InitiatorCookie.String(), o.InitiatorCookie.String())
		c.named(a, b, "HDR/Responder Cookie", h.ResponderCookie.String(), o.ResponderCookie.String())
	}
	c.named(a, b, "HDR/Message ID", fmt.Sprintf("%08x", h.MessageID), fmt.Sprintf("%08x", o.MessageID))
}

// named compares two identifiers by what they name.
func (c *comparison) named(a, b *capture.Message, path, va, vb string) {
	if !c.ids.meet(va, vb) {
		c.differs(a, b, Identity, path, va, vb)
	}
}

// checks compares the outcomes of HASH, SIG and ICV.
func (c *comparison) checks(a, b *capture.Message) {
	for _, k := range a.Checks {
		at := slices.IndexFunc(b.Checks, func(o capture.Check) bool { return o.Name == k.Name })
		if at < 0 {
			c.differs(a, b, Outcome, k.Name, string(k.Result), "not there")
		} else if o := b.Checks[at]; o.Result != k.Result {
			c.differs(a, b, Outcome, k.Name, outcome(k), outcome(o))
		}
	}
	for _, k := range b.Checks {
		if !slices.ContainsFunc(a.Checks, func(o capture.Check) bool { return o.Name == k.Name }) {
			c.differs(a, b, Outcome, k.Name, "not there", string(k.Result))
		}
	}
}

func outcome(k capture.Check) string {
	if k.Detail == "" {
		return string(k.Result)
	}
	return string(k.Result) + " (" + k.Detail + ")"
}
