package console

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object whose fields keep their order. A name that comes again makes a list.
type object struct {
	names  []string
	values map[string][]any
}

func (o *object) add(name string, value any) {
	if o.values == nil {
		o.values = make(map[string][]any)
	}
	if _, known := o.values[name]; !known {
		o.names = append(o.names, name)
	}
	o.values[name] = append(o.values[name], value)
}

// MarshalJSON writes the fields in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		var value any = o.values[name]
		if one := o.values[name]; len(one) == 1 && name != records {
			value = one[0]
		}
		key, err1 := json.Marshal(name)
		text, err2 := json.Marshal(value)
		if err1 != nil || err2 != nil {
			return nil, err2
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// The names of what has none of its own: records of a table, and lines without fields.
const (
	records = "records"
	plain   = "lines"
)

// json is the page as fields below their headings.
func (p page) json() string {
	root := new(object)
	above := []*object{root} // by depth; a deeper line belongs to the last heading above it
	for _, l := range p.lines {
		if l.depth < 0 {
			continue
		}
		at := above[min(l.depth, len(above)-1)]
		above = above[:min(l.depth, len(above)-1)+1]
		at.take(l, &above)
	}
	text, _ := json.MarshalIndent(root, "", "  ") // nothing but strings
	return string(text) + "\n"
}

// take adds a line to the object that it belongs to.
func (o *object) take(l line, above *[]*object) {
	switch {
	case l.head != "":
		below := new(object)
		o.add(l.head, below)
		*above = append(*above, below)
	case l.row:
		one := new(object)
		for _, c := range l.cells {
			one.add(c.label, c.value)
		}
		o.add(records, one)
	case len(l.cells) == 0:
		o.add(plain, l.text)
	}
	if !l.row {
		for _, c := range l.cells {
			o.add(c.label, c.value)
		}
	}
}
