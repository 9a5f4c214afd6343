package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// application names the writer in a capture's section header.
const application = "gdoilab"

// Write writes the frames as pcapng: one interface per Link and link type, named after the link, with timestamps in
// nanoseconds, and the Note of a frame as its packet comment. Link type is Ethernet for frames that have Ethernet, else
// raw IP. The same frames always give the same octets.
func Write(w io.Writer, frames []Frame) error {
	b := bufio.NewWriter(w)
	interfaces := make(map[link]uint32)
	out := appendBlock(nil, blockSection, appendSection)
	for i, f := range frames {
		l, data := link{f.Link, linkRaw}, f.Packet
		if f.Ethernet != nil {
			l.kind, data = linkEthernet, f.Ethernet
		}
		if len(data) > maxBlock/2 {
			return fmt.Errorf("capture: frame %d: %d octets are too many for a capture", i+1, len(data))
		}
		id, known := interfaces[l]
		if !known {
			id = uint32(len(interfaces))
			interfaces[l] = id
			out = appendBlock(out, blockInterface, l.append)
		}
		out = appendBlock(out, blockPacket, func(b []byte) []byte { return appendPacket(b, id, f, data) })
		if _, err := b.Write(out); err != nil {
			return fmt.Errorf("capture: %w", err)
		}
		out = out[:0]
	}
	if _, err := b.Write(out); err != nil { // no frames: the section alone
		return fmt.Errorf("capture: %w", err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// link is one interface of a capture.
type link struct {
	name string
	kind uint16
}

// appendBlock appends one block: type, length, body, padding is the body's own affair, length again.
func appendBlock(b []byte, kind uint32, body func([]byte) []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = body(b)
	length := uint32(len(b) - start + 4)
	binary.LittleEndian.PutUint32(b[start+4:], length)
	return binary.LittleEndian.AppendUint32(b, length)
}

func appendSection(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, byteOrderMagic)
	b = binary.LittleEndian.AppendUint16(b, 1)       // major version
	b = binary.LittleEndian.AppendUint16(b, 0)       // minor version
	b = binary.LittleEndian.AppendUint64(b, 1<<64-1) // section length: not stated
	b = appendOption(b, optionUserAppl, []byte(application))
	return appendOption(b, optionEnd, nil)
}

func (l link) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, l.kind)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint32(b, 0) // snap length: none
	if l.name != "" {
		b = appendOption(b, optionIfName, []byte(l.name))
	}
	b = appendOption(b, optionIfTSResol, []byte{9})
	return appendOption(b, optionEnd, nil)
}

func appendPacket(b []byte, id uint32, f Frame, data []byte) []byte {
	at := uint64(f.At.UnixNano())
	b = binary.LittleEndian.AppendUint32(b, id)
	b = binary.LittleEndian.AppendUint32(b, uint32(at>>32))
	b = binary.LittleEndian.AppendUint32(b, uint32(at))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = pad(append(b, data...), len(data))
	if f.Note == "" {
		return b
	}
	b = appendOption(b, optionComment, []byte(f.Note))
	return appendOption(b, optionEnd, nil)
}

func appendOption(b []byte, code uint16, value []byte) []byte {
	value = value[:min(len(value), 1<<16-4)]
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...), len(value))
}

// pad appends zeros after n octets up to a multiple of four.
func pad(b []byte, n int) []byte { return append(b, make([]byte, -n&3)...) }
