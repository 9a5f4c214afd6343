package pcapdiff

import (
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// usage is how an ESP SA is used in a capture.
type usage struct {
	spi   string
	first *capture.Message
	facts []fact

	packets             int
	opened, bad, closed int
	iv, icv             string
	next                []string
	sequences           map[string]bool // sender and number
	ivs                 map[string]bool
	repeats, ivRepeats  bool
	form                string
	source, destination string // whose address the outer one is
}

// fact is one property of how an SA is used.
type fact struct{ name, value string }

// addESP enters a packet into the usage of its SA.
func (c *conversation) addESP(sas map[string]*usage, m *capture.Message) {
	if len(m.Payloads) == 0 {
		c.other++
		return
	}
	spi := m.Payloads[0].Value
	u := sas[spi]
	if u == nil {
		u = &usage{spi: spi, first: m, sequences: make(map[string]bool), ivs: make(map[string]bool)}
		sas[spi] = u
		c.sas = append(c.sas, u)
	}
	if m.Repeats == 0 {
		u.take(m)
	}
}

func (u *usage) take(m *capture.Message) {
	u.packets++
	if m.Err != "" && u.form == "" {
		u.form = m.Err
	}
	switch {
	case m.Decrypted:
		u.opened++
	case slices.ContainsFunc(m.Checks, func(k capture.Check) bool { return k.Result == capture.Bad }):
		u.bad++
		return
	default:
		u.closed++
		return
	}
	for i := range m.Payloads {
		f := &m.Payloads[i]
		switch f.Name {
		case "IV":
			u.iv = octets(f)
			u.ivRepeats = u.ivRepeats || u.ivs[f.Value]
			u.ivs[f.Value] = true
		case "ICV":
			u.icv = octets(f)
		case "Next Header":
			if !slices.Contains(u.next, f.Value) {
				u.next = append(u.next, f.Value)
			}
		case "Sequence":
			number := m.From.Addr().String() + " " + f.Value
			u.repeats = u.repeats || u.sequences[number]
			u.sequences[number] = true
		case "IPv4", "IPv6":
			u.addresses(m, f.Value)
		}
	}
}

// addresses compares outer and inner addresses (RFC 5374 §3.1).
func (u *usage) addresses(m *capture.Message, inner string) {
	words := strings.Fields(inner)
	if len(words) < 3 {
		return
	}
	preserved := func(outer, inner string) string {
		if outer == inner {
			return "that of the inner packet"
		}
		return "another than that of the inner packet"
	}
	u.source = preserved(m.From.Addr().String(), words[0])
	u.destination = preserved(m.To.Addr().String(), words[2])
}

// judge puts what was seen into words.
func (u *usage) judge() {
	slices.Sort(u.next)
	add := func(name, value string) {
		if value != "" {
			u.facts = append(u.facts, fact{name, value})
		}
	}
	add("ICV", verdict(u.opened, u.bad, u.closed))
	add("IV length", u.iv)
	add("ICV length", u.icv)
	add("Next Header", strings.Join(u.next, ", "))
	add("outer source", u.source)
	add("outer destination", u.destination)
	if u.opened > 0 {
		add("Sequence", times(u.repeats, "each number once by a sender", "a sender uses a number twice"))
		add("IV", times(u.ivRepeats, "each once", "one is used twice"))
	}
	add("form", u.form)
}

func verdict(opened, bad, closed int) string {
	switch {
	case bad == 0 && closed == 0:
		return "ok"
	case opened == 0 && bad == 0:
		return "no key opens it"
	case opened == 0:
		return "bad"
	}
	return "ok in some packets only"
}

func times(repeated bool, once, twice string) string {
	if repeated {
		return twice
	}
	return once
}

// matchSAs pairs the SAs: those whose SPIs were matched up in key management, the others in their order.
func (c *comparison) matchSAs() {
	taken := make(map[*usage]bool)
	find := func(fits func(*usage) bool) *usage {
		at := slices.IndexFunc(c.b.sas, func(u *usage) bool { return !taken[u] && fits(u) })
		if at < 0 {
			return nil
		}
		return c.b.sas[at]
	}
	for _, a := range c.a.sas {
		spi, known := c.ids.toB[a.spi]
		b := find(func(u *usage) bool { _, other := c.ids.toA[u.spi]; return known && u.spi == spi || !known && !other })
		taken[b] = true
		c.sa(a, b)
	}
	for _, b := range c.b.sas {
		if !taken[b] {
			c.sa(nil, b)
		}
	}
}

// sa compares the use of two SAs.
func (c *comparison) sa(a, b *usage) {
	switch {
	case b == nil:
		c.lonelySA(a, a.first, nil)
		return
	case a == nil:
		c.lonelySA(b, nil, b.first)
		return
	}
	c.report.SAs++
	algorithms := c.a.policies[a.spi] == c.b.policies[b.spi]
	for _, f := range a.facts {
		at := slices.IndexFunc(b.facts, func(o fact) bool { return o.name == f.name })
		governed := f.name == "IV length" || f.name == "ICV length"
		if at < 0 || b.facts[at].value == f.value || governed && !algorithms {
			continue
		}
		c.differs(a.first, b.first, Usage, f.name, f.value, b.facts[at].value)
	}
}

// lonelySA reports an SA that only one capture uses, unless it is one that the other does not even have.
func (c *comparison) lonelySA(u *usage, a, b *capture.Message) {
	if c.alone[u.spi] {
		return
	}
	text := map[bool]string{true: "SPI " + u.spi + " is used", false: ""}
	c.add(a, b, Difference{What: Usage, Where: "ESP", path: "ESP used", A: text[a != nil], B: text[b != nil],
		Requirements: slices.Clone(c.requirements("ESP", ""))})
}
