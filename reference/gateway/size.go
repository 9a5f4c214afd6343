package gateway

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// tooBig handles a packet from inside that would be longer than the outside link allows once it is protected
// (RFC 4301 §8.2.1): its source is told, or it is fragmented.
func (g *Gateway) tooBig(now time.Time, e *sadb.Entry, p packet, emit Emit) error {
	limit := e.SA.MaxPayload(g.cfg.MTU - headerLen)
	switch {
	case p.dontFragment():
		g.counts.dropped++
		if guardTooBig.Kept(g.rules) {
			g.tellTooBig(now, p, limit, emit)
		}
		return nil
	case !guardFragments.Kept(g.rules):
		return g.protect(e, p, emit)
	case e.NamesPorts():
		return g.fragmentAfter(e, p, emit)
	}
	return g.fragmentBefore(e, p, limit, emit)
}

// fragmentBefore protects the fragments of a packet, so that the receiving gateway has nothing to put together.
func (g *Gateway) fragmentBefore(e *sadb.Entry, p packet, limit int, emit Emit) error {
	inner, err := g.hop(p, guardEncapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	return fragment(inner, limit, func(piece []byte) error {
		outer, err := g.encapsulate(e, piece, p)
		if err == nil {
			emit(core.Outside, outer)
		}
		return err
	})
}

// fragmentAfter fragments the protected packet. That is for SAs of certain ports, whose selectors would not take the
// later fragments of the inner packet (RFC 4301 §7.3).
func (g *Gateway) fragmentAfter(e *sadb.Entry, p packet, emit Emit) error {
	inner, err := g.hop(p, guardEncapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	outer, err := g.encapsulate(e, inner, p)
	if err != nil {
		return err
	}
	return fragment(outer, g.cfg.MTU, func(piece []byte) error {
		emit(core.Outside, piece)
		return nil
	})
}

// fragment cuts a packet, which may be a fragment itself, into pieces of at most limit octets (RFC 791 §3.2).
func fragment(b []byte, limit int, emit func([]byte) error) error {
	ihl := int(b[0]&0x0f) * 4
	first, later := b[:ihl], laterHeader(b[:ihl])
	flags := binary.BigEndian.Uint16(b[offFragment:])
	base, last := int(flags&maskOffset)*8, flags&flagMF == 0
	head, body := first, b[ihl:]
	var piece []byte
	for done := 0; done < len(body); head = later {
		n := len(body) - done
		more := !last
		if room := limit - len(head); n > room {
			n, more = room&^7, true
		}
		if n <= 0 {
			return errTooLong
		}
		piece = append(append(piece[:0], head...), body[done:done+n]...)
		field := uint16((base+done)/8) | flags&flagDF
		if more {
			field |= flagMF
		}
		binary.BigEndian.PutUint16(piece[offFragment:], field)
		finish(piece, len(head))
		if err := emit(piece); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// laterHeader is the header of the fragments after the first: of the options only those that say so are copied.
func laterHeader(header []byte) []byte {
	out := slices.Clone(header[:headerLen])
	for options := header[headerLen:]; len(options) > 0 && options[0] != 0; {
		n := 1 // the no-operation option is one octet
		if options[0] != 1 {
			if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
				break
			}
			n = int(options[1])
			if options[0]&0x80 != 0 {
				out = append(out, options[:n]...)
			}
		}
		options = options[n:]
	}
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	out[0] = 4<<4 | byte(len(out)/4)
	return out
}
