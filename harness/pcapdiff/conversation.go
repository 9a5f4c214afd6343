package pcapdiff

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// conversation is one capture, taken apart into exchanges and ESP SAs.
type conversation struct {
	messages  []capture.Message
	nodes     []node // key servers and members in the order of their first message
	exchanges []*exchange
	sas       []*usage
	policies  map[string]string    // algorithms by the SA they belong to: a cookie pair, a Rekey SA's or an ESP SA's SPI
	born      map[string]time.Time // when an SPI was first heard of
	other     int
}

// node is an address that takes part in key management.
type node struct {
	role capture.Role
	addr netip.Addr
}

// exchange is a group of messages that belong together: one Phase 1, one PULL, one Informational, or a PUSH or an
// acknowledgement by itself.
type exchange struct {
	class    string // what can be matched with what: "MM", "PULL", "INFO", "PUSH", "PUSH-ACK", "unknown"
	member   netip.Addr
	messages []*capture.Message
}

// read takes the messages of a capture apart, in the order of their time: a file may have them in another one, and what stands
// elsewhere in it is not missing here and there. Repeated datagrams count once, and packets of a link behind a member, which the
// WAN shows in ESP, not at all.
func read(messages []capture.Message) *conversation {
	messages = slices.SortedStableFunc(slices.Values(messages), func(a, b capture.Message) int { return a.At.Compare(b.At) })
	c := &conversation{messages: messages, policies: make(map[string]string), born: make(map[string]time.Time)}
	c.findNodes()
	open := make(map[string]*exchange)
	sas := make(map[string]*usage)
	for i := range messages {
		m := &messages[i]
		switch {
		case strings.HasPrefix(m.Link, "lan"):
		case m.Kind == capture.KindESP:
			c.addESP(sas, m)
		case m.Header == nil:
			c.other++
		case m.Repeats == 0:
			c.addMessage(open, m)
		}
	}
	for _, u := range c.sas {
		u.judge()
	}
	return c
}

// findNodes lists who takes part in key management, in the order of the first message.
func (c *conversation) findNodes() {
	roles := make(map[netip.Addr]capture.Role)
	for _, n := range capture.Nodes(c.messages, nil) {
		if a, err := netip.ParseAddr(n.Address); err == nil && n.Role != capture.RoleHost {
			roles[a] = n.Role
		}
	}
	for i := range c.messages {
		if c.messages[i].Header == nil {
			continue
		}
		for _, end := range []netip.AddrPort{c.messages[i].From, c.messages[i].To} {
			if role, ok := roles[end.Addr()]; ok {
				c.nodes = append(c.nodes, node{role, end.Addr()})
				delete(roles, end.Addr())
			}
		}
	}
}

func (c *conversation) role(a netip.Addr) capture.Role {
	for _, n := range c.nodes {
		if n.addr == a {
			return n.role
		}
	}
	return capture.RoleHost
}

// addMessage enters a key management message into its exchange.
func (c *conversation) addMessage(open map[string]*exchange, m *capture.Message) {
	class := classOfKind(m.Kind)
	name := class + m.Header.InitiatorCookie.String()
	switch class {
	case "PULL", "INFO":
		name += m.Header.ResponderCookie.String() + hex.EncodeToString([]byte{byte(m.Header.MessageID >> 24),
			byte(m.Header.MessageID >> 16), byte(m.Header.MessageID >> 8), byte(m.Header.MessageID)})
	case "PUSH", "PUSH-ACK":
		name = "" // each by itself
	}
	x := open[name]
	if x == nil {
		x = &exchange{class: class, member: c.memberOf(m)}
		c.exchanges = append(c.exchanges, x)
		if name != "" {
			open[name] = x
		}
	}
	x.messages = append(x.messages, m)
	c.learn(m)
}

func classOfKind(kind string) string { return strings.TrimRight(kind, "123456") }

// memberOf is the end of a message that is no key server; a multicast PUSH has none.
func (c *conversation) memberOf(m *capture.Message) netip.Addr {
	for _, end := range []netip.AddrPort{m.From, m.To} {
		if a := end.Addr(); c.role(a) != capture.RoleKS && !a.IsMulticast() {
			return a
		}
	}
	return netip.Addr{}
}

// cookies is the cookie pair of a message in hexadecimal. As the SPI of a SAK, it names the Rekey SA.
func cookies(m *capture.Message) string {
	return m.Header.InitiatorCookie.String() + m.Header.ResponderCookie.String()
}

// learn notes the algorithms that an SA payload agrees on, and when each SPI was first heard of.
func (c *conversation) learn(m *capture.Message) {
	for i := range m.Payloads {
		if f := &m.Payloads[i]; f.Name == "SA" && m.Kind != "MM1" && m.Kind != "AM1" {
			c.learnSA(m, f)
		}
	}
}

func (c *conversation) learnSA(m *capture.Message, sa *capture.Field) {
	for i := range sa.Children {
		switch f := &sa.Children[i]; f.Name {
		case "P":
			c.policies[cookies(m)] = algorithms(f)
		case "SAK", "SAT":
			spi := child(f, "SPI")
			c.policies[spi] = algorithms(f)
			if _, known := c.born[spi]; !known {
				c.born[spi] = m.At
			}
		}
	}
}

// algorithms is everything below a field that decides how long a key or a hash is.
func algorithms(f *capture.Field) string {
	var b strings.Builder
	for i := range f.Children {
		switch c := &f.Children[i]; {
		case governs[c.Name]:
			b.WriteString(c.Name + "=" + c.Value + ";")
		case len(c.Children) > 0:
			b.WriteString(algorithms(c))
		}
	}
	return b.String()
}

// governs are the fields that decide about lengths.
var governs = map[string]bool{
	"Encryption Algorithm": true, "Key Length": true, "Hash Algorithm": true, "Authentication Method": true,
	"Group Description": true, "KEK_ALGORITHM": true, "KEK_KEY_LENGTH": true, "SIG_HASH_ALGORITHM": true, "SIG_ALGORITHM": true,
	"SIG_KEY_LENGTH": true, "KEK_ACK_REQUESTED": true, "Protocol-ID": true, "Transform ID": true, "Authentication Algorithm": true,
}

// child is the value of the first child of that name.
func child(f *capture.Field, name string) string {
	for i := range f.Children {
		if f.Children[i].Name == name {
			return f.Children[i].Value
		}
	}
	return ""
}
