package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrFormat says that a file is no capture, or is broken at the place that the error names.
var ErrFormat = errors.New("not a readable capture")

// Read reads a capture, pcapng or classic pcap. The error of a broken file names the frame; the frames before it are
// returned with it. Frames of link types other than Ethernet, raw IP, loopback and Linux cooked are an error.
func Read(r io.Reader) ([]Frame, error) {
	b := bufio.NewReader(r)
	magic, err := b.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("capture: %w: %d octets are too few", ErrFormat, len(magic))
	}
	if binary.BigEndian.Uint32(magic) == blockSection {
		return readNG(b)
	}
	return readClassic(b)
}

// classic is the byte order and the unit of timestamps that a pcap magic stands for.
func classic(magic []byte) (order binary.ByteOrder, unit time.Duration) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(magic) {
		case 0xa1b2c3d4:
			return order, time.Microsecond
		case 0xa1b23c4d:
			return order, time.Nanosecond
		}
	}
	return nil, 0
}

// readClassic reads the format of libpcap: a file header of 24 octets, then records with headers of 16.
func readClassic(r *bufio.Reader) ([]Frame, error) {
	var head [24]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("capture: %w: file header: %w", ErrFormat, cut(err))
	}
	order, unit := classic(head[:4])
	if order == nil {
		return nil, fmt.Errorf("capture: %w: it begins with %x, neither pcapng nor pcap", ErrFormat, head[:4])
	}
	kind := uint16(order.Uint32(head[20:]))
	var frames []Frame
	for {
		var record [16]byte
		if _, err := io.ReadFull(r, record[:]); err == io.EOF {
			return frames, nil
		} else if err != nil {
			return frames, fmt.Errorf("capture: frame %d: %w: %w", len(frames)+1, ErrFormat, cut(err))
		}
		data, err := take(r, order.Uint32(record[8:]))
		if err != nil {
			return frames, fmt.Errorf("capture: frame %d: %w", len(frames)+1, err)
		}
		f := Frame{At: time.Unix(int64(order.Uint32(record[:])), int64(order.Uint32(record[4:]))*int64(unit)).UTC()}
		if err := f.set(kind, data); err != nil {
			return frames, fmt.Errorf("capture: frame %d: %w", len(frames)+1, err)
		}
		frames = append(frames, f)
	}
}

// take reads n octets, of which a sane file has no more than maxBlock.
func take(r io.Reader, n uint32) ([]byte, error) {
	if n > maxBlock {
		return nil, fmt.Errorf("%w: %d octets in one block", ErrFormat, n)
	}
	var b bytes.Buffer // grows with what is there, not with what a broken length says
	b.Grow(int(min(n, 1<<16)))
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, cut(err))
	}
	return b.Bytes(), nil
}

// cut is the error of a file that ends inside something.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// set fills in the packet of a captured frame.
func (f *Frame) set(kind uint16, data []byte) error {
	switch kind {
	case linkRaw, linkRawBSD, linkIPv4, linkIPv6:
		f.Packet = data
	case linkEthernet:
		f.Ethernet = data
		f.Packet = afterEtherType(data, 12)
	case linkSLL:
		f.Packet = afterEtherType(data, 14)
	case linkNull, linkLoop:
		if len(data) >= 4 {
			f.Packet = data[4:]
		}
	default:
		return fmt.Errorf("%w: link type %d", ErrFormat, kind)
	}
	return nil
}

// afterEtherType returns the IP packet behind an EtherType at that offset, past VLAN tags; nil if there is none.
func afterEtherType(data []byte, at int) []byte {
	for ; at+2 <= len(data); at += 4 {
		switch binary.BigEndian.Uint16(data[at:]) {
		case 0x0800, 0x86dd:
			return data[at+2:]
		case 0x8100, 0x88a8:
			continue
		}
		return nil
	}
	return nil
}
