package capture

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The kinds of messages that core.Kind does not name.
const (
	KindESP      = "ESP"
	KindAH       = "AH"
	KindAlive    = "KEEPALIVE" // one octet on port 4500 (RFC 3948 §2.3)
	KindClear    = "clear"     // an IP packet that is neither key management nor ESP or AH
	KindFragment = "fragment"  // part of an IP packet; the last part carries the decoded whole
	KindOther    = "other"     // not IP, or not readable as such
	KindIKEv2    = "IKEv2"     // a message of that version, whose exchange the summary has
)

// LinkNAT is the link between members and a NAT, which shows once more what crosses the WAN, under other addresses.
const LinkNAT = "nat"

// Message is one frame, decoded.
type Message struct {
	Frame     int // number of the frame, from 1
	At        time.Time
	Link      string
	From, To  netip.AddrPort // ports are 0 where there are none
	Kind      string         // MM1 to MM6, AM1 to AM3, PULL1 to PULL4, PUSH, PUSH-ACK, INFO, KEEPALIVE, ESP, AH, IKEv2, clear, fragment, other, unknown
	Summary   string         // the message on one line: "HDR*, HASH(1), Ni, ID"
	Header    *isakmp.Header // of key management
	Payloads  []Field
	Encrypted bool    // it was encrypted on the wire
	Decrypted bool    // and a key opened it
	Checks    []Check // HASH, SIG, ICV
	Repeats   int     // frame number of an earlier frame with the same datagram, or 0
	Note      string
	Err       string // where the layout is broken, or why it could not be opened
}

// Field is one element of a decoded message. Offset and Length are octets of the key management message, the ESP packet,
// what begins with AH, or the clear IP packet as it was sent; decrypted octets stand where their ciphertext stood.
type Field struct {
	Name     string  `json:"name"`
	Value    string  `json:"value,omitempty"`
	Offset   int     `json:"offset"`
	Length   int     `json:"length"`
	Secret   bool    `json:"secret,omitempty"` // key material or protected data; Redact hides the value
	Children []Field `json:"fields,omitempty"`
}

// Result is the outcome of a Check.
type Result string

// The results.
const (
	OK        Result = "ok"
	Bad       Result = "bad"
	Unchecked Result = "unchecked" // a key or an earlier message is missing
)

// Check is the proof of one authenticated element of a message.
type Check struct {
	Name   string `json:"name"` // "HASH(1)", "HASH_I", "SIG", "ACK HASH", "ICV"
	Result Result `json:"result"`
	Detail string `json:"detail,omitempty"` // why it is bad or unchecked
}
