package gateway

import (
	"encoding/binary"
	"slices"
)

// fragment4 cuts an IPv4 packet, which may be a fragment itself, into pieces of at most limit octets (RFC 791 §3.2).
func fragment4(b []byte, limit int, emit func([]byte) error) error {
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
		finish(piece)
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

// fragment6 cuts an IPv6 packet, which may have a Fragment header already but is whole, into pieces of at most limit octets
// (RFC 8200 §4.5).
func fragment6(b []byte, limit int, id uint32, emit func([]byte) error) error {
	var p packet
	if err := p.parse6(b); err != nil {
		return err
	}
	head, body := appendFragmentHeader(&p, id)
	room := (limit - len(head)) &^ 7
	if room <= 0 {
		return errTooLong
	}
	var piece []byte
	for done := 0; done < len(body); done += room {
		end := min(done+room, len(body))
		piece = append(append(piece[:0], head...), body[done:end]...)
		field := uint16(done)
		if end < len(body) {
			field |= flag6MF
		}
		binary.BigEndian.PutUint16(piece[len(head)-fragmentLen+2:], field)
		finish(piece)
		if err := emit(piece); err != nil {
			return err
		}
	}
	return nil
}

// appendFragmentHeader returns what every piece begins with, up to a Fragment header, and what is to be cut.
func appendFragmentHeader(p *packet, id uint32) (head, body []byte) {
	if p.fragmentAt > 0 {
		cut := p.fragmentAt + fragmentLen
		return slices.Clone(p.bytes[:cut]), p.bytes[cut:]
	}
	head = append(slices.Clone(p.bytes[:p.routedLen]), p.bytes[p.routedNextAt], 0, 0, 0)
	head[p.routedNextAt] = extFragment
	return binary.BigEndian.AppendUint32(head, id), p.bytes[p.routedLen:]
}
