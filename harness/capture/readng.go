package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"time"
)

// ngReader reads pcapng, section by section.
type ngReader struct {
	r          *bufio.Reader
	order      binary.ByteOrder
	interfaces []ngInterface
	frames     []Frame
}

// ngInterface is one interface of the current section.
type ngInterface struct {
	link
	perSecond uint64        // timestamp units in a second
	offset    time.Duration // added to every timestamp
}

func readNG(r *bufio.Reader) ([]Frame, error) {
	n := &ngReader{r: r, order: binary.LittleEndian}
	for {
		kind, body, err := n.block()
		if err == io.EOF {
			return n.frames, nil
		}
		if err == nil {
			err = n.take(kind, body)
		}
		if err != nil {
			return n.frames, fmt.Errorf("capture: at frame %d: %w", len(n.frames)+1, err)
		}
	}
}

// block reads one block and returns its type and body. A section header sets the byte order from here on.
func (n *ngReader) block() (kind uint32, body []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(n.r, head[:]); err == io.EOF {
		return 0, nil, io.EOF
	} else if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrFormat, cut(err))
	}
	if binary.BigEndian.Uint32(head[:]) == blockSection { // reads the same in both orders
		magic, err := n.r.Peek(4)
		if err != nil {
			return 0, nil, fmt.Errorf("%w: %w", ErrFormat, cut(err))
		}
		n.order = binary.LittleEndian
		if binary.BigEndian.Uint32(magic) == byteOrderMagic {
			n.order = binary.BigEndian
		}
	}
	length := n.order.Uint32(head[4:])
	if length < 12 || length%4 != 0 {
		return 0, nil, fmt.Errorf("%w: a block of %d octets", ErrFormat, length)
	}
	rest, err := take(n.r, length-8)
	if err != nil {
		return 0, nil, err
	}
	return n.order.Uint32(head[:]), rest[:len(rest)-4], nil
}

// take acts on one block; types it does not know are passed over.
func (n *ngReader) take(kind uint32, body []byte) error {
	switch kind {
	case blockSection:
		if len(body) < 16 || n.order.Uint32(body) != byteOrderMagic {
			return fmt.Errorf("%w: a section header of %d octets", ErrFormat, len(body))
		}
		n.interfaces = nil
	case blockInterface:
		return n.addInterface(body)
	case blockPacket:
		return n.addPacket(body)
	case blockSimple:
		return n.addSimple(body)
	}
	return nil
}

func (n *ngReader) addInterface(body []byte) error {
	if len(body) < 8 {
		return fmt.Errorf("%w: an interface block of %d octets", ErrFormat, len(body))
	}
	i := ngInterface{link: link{kind: n.order.Uint16(body)}, perSecond: 1e6}
	n.options(body[8:], func(code uint16, value []byte) {
		switch {
		case code == optionIfName:
			i.name = string(value)
		case code == optionIfTSResol && len(value) == 1:
			i.perSecond = resolution(value[0])
		case code == optionIfTSOffset && len(value) == 8:
			i.offset = time.Duration(n.order.Uint64(value)) * time.Second
		}
	})
	n.interfaces = append(n.interfaces, i)
	return nil
}

// resolution is the number of timestamp units in a second: a power of two if the top bit is set, else of ten. What does
// not fit in 64 bits counts as seconds.
func resolution(v byte) uint64 {
	exponent := uint64(v & 0x7f)
	if v&0x80 != 0 {
		if exponent > 63 {
			return 1
		}
		return 1 << exponent
	}
	units := uint64(1)
	for range exponent {
		hi, lo := bits.Mul64(units, 10)
		if hi != 0 {
			return 1
		}
		units = lo
	}
	return units
}

// at is the time of a timestamp on this interface.
func (i ngInterface) at(stamp uint64) time.Time {
	seconds, rest := stamp/i.perSecond, stamp%i.perSecond
	hi, lo := bits.Mul64(rest, 1e9)
	nanos, _ := bits.Div64(hi, lo, i.perSecond) // rest < perSecond, so the quotient is below 1e9
	return time.Unix(int64(seconds), int64(nanos)).Add(i.offset).UTC()
}

func (n *ngReader) addPacket(body []byte) error {
	if len(body) < 20 {
		return fmt.Errorf("%w: a packet block of %d octets", ErrFormat, len(body))
	}
	id, length := n.order.Uint32(body), n.order.Uint32(body[12:])
	if int64(id) >= int64(len(n.interfaces)) {
		return fmt.Errorf("%w: interface %d of %d", ErrFormat, id, len(n.interfaces))
	}
	padded := (uint64(length) + 3) &^ 3
	if padded > uint64(len(body)-20) {
		return fmt.Errorf("%w: %d captured octets in a block of %d", ErrFormat, length, len(body))
	}
	i := n.interfaces[id]
	f := Frame{Link: i.name, At: i.at(uint64(n.order.Uint32(body[4:]))<<32 | uint64(n.order.Uint32(body[8:])))}
	n.options(body[20+padded:], func(code uint16, value []byte) {
		if code == optionComment && f.Note == "" {
			f.Note = string(value)
		}
	})
	return n.add(f, i.kind, body[20:20+length])
}

func (n *ngReader) addSimple(body []byte) error {
	if len(body) < 4 || len(n.interfaces) == 0 {
		return fmt.Errorf("%w: a simple packet block of %d octets, %d interfaces", ErrFormat, len(body), len(n.interfaces))
	}
	length := min(uint64(n.order.Uint32(body)), uint64(len(body)-4))
	return n.add(Frame{Link: n.interfaces[0].name}, n.interfaces[0].kind, body[4:4+length])
}

func (n *ngReader) add(f Frame, kind uint16, data []byte) error {
	if err := f.set(kind, data); err != nil {
		return err
	}
	n.frames = append(n.frames, f)
	return nil
}

// options calls see for each option up to the end marker or the first that does not fit.
func (n *ngReader) options(b []byte, see func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, length := n.order.Uint16(b), int(n.order.Uint16(b[2:]))
		padded := (length + 3) &^ 3
		if code == optionEnd || padded > len(b)-4 {
			return
		}
		see(code, b[4:4+length])
		b = b[4+padded:]
	}
}
