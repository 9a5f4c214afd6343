package gateway

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// Limits of reassembly. Whoever can send fragments can make the gateway keep them, so everything has a bound.
const (
	reassemblyTimeout = 30 * time.Second // from the first fragment (RFC 791 §3.2 asks for at least 15 s)
	maxDatagrams      = 64               // at a time
	maxPerSource      = 8
	maxFragments      = 256 // of one datagram
)

var (
	errOverlap   = errors.New("fragments overlap or contradict each other")
	errFragment  = errors.New("impossible offset or length")
	errFragments = errors.New("too many fragments")
	errRejected  = errors.New("sibling of a rejected fragment")
)

// reassembler puts datagrams together from their fragments. The zero value is ready for use.
type reassembler struct {
	waiting []*datagram // oldest first
}

// datagramKey says which fragments belong together (RFC 791 §3.2, RFC 8200 §4.5).
type datagramKey struct {
	source, destination netip.Addr
	protocol            uint8 // of IPv4 only
	id                  uint32
}

// datagram is what has come of one datagram so far. A rejected one stays until its time is over, so that its remaining
// fragments are not taken for a new one.
type datagram struct {
	key      datagramKey
	until    time.Time
	header   []byte // of the fragment with offset 0
	body     []byte
	parts    []part
	total    int // of the body; -1 until the last fragment has come
	have     int // octets of the body
	ce       bool
	rejected bool
}

// part is a piece of the body that is there.
type part struct{ from, to int }

// add takes a fragment and returns the whole datagram if it was the last one missing. Lost is the number of datagrams that
// had to be given up to make room, or because their time is over.
func (r *reassembler) add(now time.Time, p *packet) (whole []byte, lost uint64, err error) {
	lost = r.expire(now)
	key, s := p.fragmented()
	at := slices.IndexFunc(r.waiting, func(d *datagram) bool { return d.key == key })
	if at < 0 {
		lost += r.makeRoom(key.source)
		r.waiting = append(r.waiting, &datagram{key: key, until: now.Add(reassemblyTimeout), total: -1})
		at = len(r.waiting) - 1
	}
	d := r.waiting[at]
	if err := d.add(s); err != nil {
		d.reject()
		return nil, lost, err
	}
	if !d.complete() {
		return nil, lost, nil
	}
	if len(d.header)+d.total > maxPacket {
		d.reject()
		return nil, lost, errFragment
	}
	r.waiting = slices.Delete(r.waiting, at, at+1)
	return d.whole(), lost, nil
}

// makeRoom gives up the oldest datagram of the source, or of all, if there are too many.
func (r *reassembler) makeRoom(source netip.Addr) (lost uint64) {
	of := func(d *datagram) bool { return d.key.source == source }
	count := 0
	for _, d := range r.waiting {
		if of(d) {
			count++
		}
	}
	switch {
	case count >= maxPerSource:
		return r.giveUp(slices.IndexFunc(r.waiting, of))
	case len(r.waiting) >= maxDatagrams:
		return r.giveUp(0)
	}
	return 0
}

// giveUp forgets a datagram. The fragments of a rejected one have been counted already.
func (r *reassembler) giveUp(at int) (lost uint64) {
	if !r.waiting[at].rejected {
		lost = 1
	}
	r.waiting = slices.Delete(r.waiting, at, at+1)
	return lost
}

// expire forgets the datagrams whose time is over and returns how many were lost by that.
func (r *reassembler) expire(now time.Time) (lost uint64) {
	for len(r.waiting) > 0 && !now.Before(r.waiting[0].until) {
		lost += r.giveUp(0)
	}
	return lost
}

// deadline is when expire has something to do.
func (r *reassembler) deadline() (time.Time, bool) {
	if len(r.waiting) == 0 {
		return time.Time{}, false
	}
	return r.waiting[0].until, true
}

// section is what one fragment brings.
type section struct {
	part
	more bool
	head []byte // what precedes the body in the whole packet, if this is the first
	body []byte
	ce   bool
}

// fragmented reads a fragment.
func (p *packet) fragmented() (datagramKey, section) {
	if p.is6() {
		return p.fragmented6()
	}
	field := binary.BigEndian.Uint16(p.bytes[offFragment:])
	key := datagramKey{p.flow.Source, p.flow.Destination, p.flow.Protocol, uint32(binary.BigEndian.Uint16(p.bytes[offID:]))}
	return key, newSection(int(field&maskOffset)*8, field&flagMF != 0, p.bytes[:p.headerLen], p.body(), p.tos())
}

// fragmented6 leaves the Fragment header out of what the whole packet begins with.
func (p *packet) fragmented6() (datagramKey, section) {
	h := p.bytes[p.fragmentAt:]
	field := binary.BigEndian.Uint16(h[2:])
	head := slices.Clone(p.bytes[:p.fragmentAt])
	head[p.fragmentNextAt] = h[0]
	return datagramKey{source: p.flow.Source, destination: p.flow.Destination, id: binary.BigEndian.Uint32(h[4:])},
		newSection(int(field&mask6Offset), field&flag6MF != 0, head, h[fragmentLen:], p.tos())
}

func newSection(from int, more bool, head, body []byte, tos byte) section {
	return section{part{from, from + len(body)}, more, head, body, tos&maskECN == ecnCE}
}

func (d *datagram) add(s section) error {
	if d.rejected {
		return errRejected
	}
	if len(s.body) == 0 || s.more && len(s.body)%8 != 0 {
		return errFragment
	}
	if slices.Contains(d.parts, s.part) && string(d.body[s.from:s.to]) == string(s.body) {
		return nil // a duplicate made by the network
	}
	if err := d.fits(s.part, s.more); err != nil {
		return err
	}
	d.take(s)
	return nil
}

// fits refuses a piece that overlaps another or lies beyond the end: such fragments are an attack (RFC 1858, RFC 3128).
func (d *datagram) fits(piece part, more bool) error {
	if len(d.parts) >= maxFragments {
		return errFragments
	}
	if d.total >= 0 && (piece.to > d.total || !more) || !more && piece.to < len(d.body) {
		return errOverlap
	}
	for _, have := range d.parts {
		if piece.from < have.to && have.from < piece.to {
			return errOverlap
		}
	}
	return nil
}

func (d *datagram) take(s section) {
	if missing := s.to - len(d.body); missing > 0 {
		d.body = append(d.body, make([]byte, missing)...)
	}
	copy(d.body[s.from:], s.body)
	d.parts = append(d.parts, s.part)
	d.have += s.to - s.from
	d.ce = d.ce || s.ce
	if s.from == 0 {
		d.header = slices.Clone(s.head)
	}
	if !s.more {
		d.total = s.to
	}
}

func (d *datagram) reject() { d.rejected, d.header, d.body, d.parts = true, nil, nil, nil }

func (d *datagram) complete() bool { return d.header != nil && d.have == d.total }

// whole is the datagram: the first fragment's header, and congestion marked if any fragment met it (RFC 3168 §5.3).
func (d *datagram) whole() []byte {
	p := packet{bytes: append(d.header, d.body...), headerLen: len(d.header)}
	if d.ce && p.tos()&maskECN != 0 {
		p.setTOS(p.tos() | ecnCE)
	}
	if !p.is6() {
		field := binary.BigEndian.Uint16(p.bytes[offFragment:]) & flagDF
		binary.BigEndian.PutUint16(p.bytes[offFragment:], field)
	}
	finish(p.bytes)
	return p.bytes
}
