package kit

import (
	"strings"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// Field finds the first field of a decoded message at that path of names, "SA/SAT/SPI", and reports whether there is one.
func Field(m capture.Message, path string) (capture.Field, bool) {
	return field(m.Payloads, strings.Split(path, "/"))
}

func field(fields []capture.Field, path []string) (capture.Field, bool) {
	for _, f := range fields {
		if f.Name != path[0] {
			continue
		}
		if len(path) == 1 {
			return f, true
		}
		if found, ok := field(f.Children, path[1:]); ok {
			return found, true
		}
	}
	return capture.Field{}, false
}

// Value is the value of the field at that path, or "" if there is none.
func Value(m capture.Message, path string) string {
	f, _ := Field(m, path)
	return f.Value
}

// Names lists the names of a message's payloads in order.
func Names(m capture.Message) []string {
	var names []string
	for _, f := range m.Payloads {
		names = append(names, f.Name)
	}
	return names
}

// Checked is the outcome of a message's check of that name; Unchecked if it was not made.
func Checked(m capture.Message, name string) capture.Result {
	for _, c := range m.Checks {
		if c.Name == name {
			return c.Result
		}
	}
	return capture.Unchecked
}

// Last is the last message of a list, or an empty one.
func Last(messages []capture.Message) capture.Message {
	if len(messages) == 0 {
		return capture.Message{}
	}
	return messages[len(messages)-1]
}
