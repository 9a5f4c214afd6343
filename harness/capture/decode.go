package capture

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The UDP ports of key management: GDOI, IKE, and IKE behind a NAT, where a marker of four zero octets tells it from ESP
// (RFC 6407 §2.2, RFC 3948 §2.2).
const (
	portGDOI = 848
	portIKE  = 500
	portNATT = 4500
	marker   = 4

	keepalive = 0xff // all of a datagram (RFC 3948 §2.3)
)

// decoder is what is known of a conversation so far.
type decoder struct {
	messages  []Message
	phase1    map[cookies]*phase1
	offers    map[isakmp.Cookie]*offer
	rekeys    map[cookies][]rekeyKeys
	leaves    map[netip.Addr][][]byte // first LKH keys of members, without their IVs
	lkh       lkhTree
	traffic   map[uint32][]*trafficKeys
	ah        map[uint32][]*ahKeys
	seen      map[[sha256.Size]byte]int // digest of a key management, ESP or AH packet -> index of its message
	fragments reassembly
}

// cookies is a cookie pair: it names a Phase 1 SA or a Rekey SA.
type cookies struct{ i, r isakmp.Cookie }

func (c cookies) spi() (s [16]byte) {
	copy(s[:8], c.i[:])
	copy(s[8:], c.r[:])
	return s
}

// Decode reads the frames as one conversation: what an earlier frame said (an SA offer, a nonce, the end of an IV chain)
// is used to open and check a later one. There is one Message for each frame, in the same order. Keys that are missing,
// doubled or malformed only leave messages closed. Nothing in a frame makes it fail. Frames that do not stand in the order of
// their time are read in that order all the same.
func Decode(frames []Frame, keys []keylog.Entry) []Message {
	d := &decoder{messages: make([]Message, 0, len(frames)), phase1: make(map[cookies]*phase1),
		offers: make(map[isakmp.Cookie]*offer), rekeys: make(map[cookies][]rekeyKeys), leaves: make(map[netip.Addr][][]byte), lkh: make(lkhTree), traffic: make(map[uint32][]*trafficKeys), ah: make(map[uint32][]*ahKeys),
		seen: make(map[[sha256.Size]byte]int), fragments: make(reassembly)}
	for _, k := range keys {
		d.addKey(k)
	}
	order := inTime(frames)
	for _, i := range order {
		f := frames[i]
		m := Message{Frame: i + 1, At: f.At, Link: f.Link, Note: f.Note}
		d.frame(&m, f)
		d.messages = append(d.messages, m)
	}
	if !slices.IsSorted(order) {
		slices.SortFunc(d.messages, func(a, b Message) int { return a.Frame - b.Frame })
	}
	return d.messages
}

// inTime returns the places of the frames in the order of their time; of the same time, as they stand.
func inTime(frames []Frame) []int {
	order := make([]int, len(frames))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return frames[i].At.Compare(frames[j].At) })
	return order
}

// frame finds the IP packet in a frame, whole or as the last of its fragments.
func (d *decoder) frame(m *Message, f Frame) {
	p, err := parseIP(f.Packet)
	if err != nil {
		m.Kind, m.Err = KindOther, err.Error()
		if f.Packet == nil {
			m.Err = ""
		}
		return
	}
	m.From, m.To = p.endpoints()
	if p.fragment() {
		whole, complete := d.fragments.add(f.Link, p)
		if !complete {
			m.Kind, m.Summary = KindFragment, p.what()
			m.Payloads = []Field{p.field(0, false)}
			return
		}
		p = whole
		m.From, m.To = p.endpoints()
	}
	d.packet(m, p)
}

// packet tells key management, ESP, AH and the rest apart.
func (d *decoder) packet(m *Message, p packet) {
	switch p.protocol {
	case protocolESP:
		d.esp(m, p.payload)
		return
	case protocolAH:
		d.authenticated(m, p)
		return
	}
	if from, to, data, ok := p.udp(); ok {
		switch message, natt := d.keyManagement(from, to, data); {
		case message != nil:
			d.isakmp(m, message)
			return
		case natt && len(data) == 1 && data[0] == keepalive:
			m.Kind, m.Summary = KindAlive, "keepalive of a NAT's mapping"
			return
		case natt && len(data) >= marker:
			d.esp(m, data)
			return
		}
	}
	m.Kind, m.Summary = KindClear, p.what()
	m.Payloads = []Field{p.field(0, false)}
}

// keyManagement returns the ISAKMP message in a datagram: by its port, or by a cookie pair that is known. natt says that
// it is something else of port 4500: ESP in UDP, or a keepalive.
func (d *decoder) keyManagement(from, to netip.AddrPort, data []byte) (message []byte, natt bool) {
	on := func(port uint16) bool { return from.Port() == port || to.Port() == port }
	marked := len(data) >= marker && binary.BigEndian.Uint32(data) == 0
	switch {
	case on(portNATT) && marked:
		return data[marker:], false
	case on(portNATT):
		return nil, true
	case on(portGDOI), on(portIKE):
		if marked && len(data) >= marker+isakmp.HeaderLen && data[marker+17] == isakmp.Version10 && data[17] != isakmp.Version10 {
			return data[marker:], false // some send the marker on other ports too
		}
		return data, false
	}
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		return nil, false
	}
	name := cookies{h.InitiatorCookie, h.ResponderCookie}
	if d.phase1[name] != nil || d.rekeys[name] != nil {
		return data, false
	}
	return nil, false
}

// repeat recognises a packet that was there before and takes over what is known of it, so that it does not move an IV
// chain a second time.
func (d *decoder) repeat(m *Message, data []byte) bool {
	digest := sha256.Sum256(append([]byte(m.From.String()+m.To.String()), data...))
	first, again := d.seen[digest]
	if !again {
		d.seen[digest] = len(d.messages)
		return false
	}
	earlier := d.messages[first]
	m.Kind, m.Summary, m.Header, m.Payloads = earlier.Kind, earlier.Summary, earlier.Header, earlier.Payloads
	m.Encrypted, m.Decrypted, m.Checks, m.Err = earlier.Encrypted, earlier.Decrypted, earlier.Checks, earlier.Err
	m.Repeats = earlier.Frame
	return true
}

func (d *decoder) addKey(k keylog.Entry) {
	switch k.Kind {
	case keylog.KindPhase1:
		d.addPhase1(k)
	case keylog.KindRekey:
		d.addRekey(k)
	case keylog.KindTraffic:
		d.addTraffic(k)
	case keylog.KindAH:
		d.addAH(k)
	}
}
