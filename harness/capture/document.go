package capture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Conversation is a decoded capture and the names of those who took part: what docs/schema/decode.schema.json describes.
type Conversation struct {
	Nodes    []Node
	Messages []Message
}

// messageJSON is the JSON form of a Message.
type messageJSON struct {
	Frame     int         `json:"frame"`
	At        time.Time   `json:"at"`
	Link      string      `json:"link,omitempty"`
	From      string      `json:"from,omitempty"`
	To        string      `json:"to,omitempty"`
	Kind      string      `json:"kind"`
	Summary   string      `json:"summary,omitempty"`
	Header    *headerJSON `json:"header,omitempty"`
	Payloads  []Field     `json:"payloads,omitempty"`
	Encrypted bool        `json:"encrypted,omitempty"`
	Decrypted bool        `json:"decrypted,omitempty"`
	Checks    []Check     `json:"checks,omitempty"`
	Repeats   int         `json:"repeats,omitempty"`
	Note      string      `json:"note,omitempty"`
	Err       string      `json:"error,omitempty"`
}

// headerJSON is the JSON form of an ISAKMP header (RFC 2408 §3.1).
type headerJSON struct {
	InitiatorCookie string `json:"initiator_cookie"`
	ResponderCookie string `json:"responder_cookie"`
	NextPayload     uint8  `json:"next_payload"`
	Version         uint8  `json:"version"`
	Exchange        uint8  `json:"exchange"`
	Flags           uint8  `json:"flags"`
	MessageID       uint32 `json:"message_id"`
	Length          uint32 `json:"length"`
}

// WriteJSON writes the conversation as one JSON object with a message a line.
func WriteJSON(w io.Writer, c Conversation) error {
	b := bufio.NewWriter(w)
	nodes, err := json.Marshal(append([]Node{}, c.Nodes...))
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	fmt.Fprintf(b, "{\"nodes\":%s,\n\"messages\":[", nodes)
	for i, m := range c.Messages {
		line, err := json.Marshal(m.json())
		if err != nil {
			return fmt.Errorf("capture: message of frame %d: %w", m.Frame, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(r io.Reader) (Conversation, error) {
	var doc struct {
		Nodes    []Node        `json:"nodes"`
		Messages []messageJSON `json:"messages"`
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return Conversation{}, fmt.Errorf("capture: decoded conversation: %w", err)
	}
	c := Conversation{Nodes: doc.Nodes, Messages: make([]Message, len(doc.Messages))}
	for i, m := range doc.Messages {
		c.Messages[i] = m.message()
	}
	return c, nil
}

func (m *Message) json() messageJSON {
	j := messageJSON{Frame: m.Frame, At: m.At, Link: m.Link, From: endpoint(m.From), To: endpoint(m.To), Kind: m.Kind,
		Summary: m.Summary, Payloads: m.Payloads, Encrypted: m.Encrypted, Decrypted: m.Decrypted, Checks: m.Checks,
		Repeats: m.Repeats, Note: m.Note, Err: m.Err}
	if h := m.Header; h != nil {
		j.Header = &headerJSON{InitiatorCookie: h.InitiatorCookie.String(), ResponderCookie: h.ResponderCookie.String(),
			NextPayload: uint8(h.NextPayload), Version: h.Version, Exchange: uint8(h.Exchange), Flags: uint8(h.Flags),
			MessageID: h.MessageID, Length: h.Length}
	}
	return j
}

func (j *messageJSON) message() Message {
	m := Message{Frame: j.Frame, At: j.At, Link: j.Link, From: parseEndpoint(j.From), To: parseEndpoint(j.To), Kind: j.Kind,
		Summary: j.Summary, Payloads: j.Payloads, Encrypted: j.Encrypted, Decrypted: j.Decrypted, Checks: j.Checks,
		Repeats: j.Repeats, Note: j.Note, Err: j.Err}
	if h := j.Header; h != nil {
		m.Header = &isakmp.Header{InitiatorCookie: cookie(h.InitiatorCookie), ResponderCookie: cookie(h.ResponderCookie),
			NextPayload: isakmp.PayloadType(h.NextPayload), Version: h.Version, Exchange: isakmp.ExchangeType(h.Exchange),
			Flags: isakmp.Flags(h.Flags), MessageID: h.MessageID, Length: h.Length}
	}
	return m
}

// cookie reads a cookie in hexadecimal; what is not one gives zeros.
func cookie(s string) (c isakmp.Cookie) {
	copy(c[:], unhex(s))
	return c
}

// endpoint is the text of an address and, where there is one, its port.
func endpoint(a netip.AddrPort) string {
	switch {
	case !a.IsValid():
		return ""
	case a.Port() == 0:
		return a.Addr().String()
	}
	return a.String()
}

func parseEndpoint(s string) netip.AddrPort {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, 0)
}
