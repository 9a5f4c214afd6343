package capture

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// cursor makes fields that follow each other.
type cursor struct {
	at     int // offset of the next field
	fields []Field
}

// add appends a field of n octets. The pointer is good until the next add.
func (c *cursor) add(name, value string, n int) *Field {
	c.fields = append(c.fields, Field{Name: name, Value: value, Offset: c.at, Length: n})
	c.at += n
	return &c.fields[len(c.fields)-1]
}

// number appends a field of n octets that holds a number.
func (c *cursor) number(name string, v uint64, n int) *Field {
	return c.add(name, strconv.FormatUint(v, 10), n)
}

// named appends a field of n octets that holds a number, with its name if that is not empty.
func (c *cursor) named(name, value string, v uint64, n int) *Field {
	return c.add(name, numbered(value, v), n)
}

// octets appends a field with octets; none are no field.
func (c *cursor) octets(name string, b []byte) *Field {
	if len(b) == 0 {
		return &Field{}
	}
	return c.add(name, hex.EncodeToString(b), len(b))
}

// reserved appends a reserved field only if it is not zero, as it has to be.
func (c *cursor) reserved(v uint64, n int) {
	if v != 0 {
		c.number("RESERVED", v, n)
		return
	}
	c.skip(n)
}

// skip passes over n octets that are not shown.
func (c *cursor) skip(n int) { c.at += n }

// attributes appends data attributes (RFC 2408 §3.3) by the names and values of a registry.
func (c *cursor) attributes(as []wire.Attribute, r registry) {
	for _, a := range as {
		n := 4
		if !a.Basic {
			n += len(a.Value)
		}
		f := c.add(r.name(a.Type), r.value(a), n)
		f.Secret = r.secret != nil && r.secret(a.Type)
		if r.inside != nil && !a.Basic {
			f.Children = r.inside(a.Type, a.Value, f.Offset+4)
		}
	}
}

// text is octets in hexadecimal, cut after limit of them.
func text(b []byte, limit int) string {
	if len(b) <= limit {
		return hex.EncodeToString(b)
	}
	return fmt.Sprintf("%x… (%d octets)", b[:limit], len(b))
}

// numbered is a number with its name: "AES-CBC (7)", or the number alone.
func numbered(name string, v uint64) string {
	if name == "" {
		return strconv.FormatUint(v, 10)
	}
	return name + " (" + strconv.FormatUint(v, 10) + ")"
}

// hexNumber is a number in that many hexadecimal digits: "0x01".
func hexNumber(v uint64, digits int) string { return fmt.Sprintf("0x%0*x", digits, v) }
