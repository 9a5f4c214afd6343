package verdict

import (
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// row is one arrow of a sequence diagram: a message, or several packets of one kind that followed each other.
type row struct {
	first    *capture.Message
	messages []*capture.Message
}

// rows makes the arrows of a conversation. Within a stretch of data packets, those of the same sender, receiver, SPI and
// link become one row, at the place of the first; key management messages stand alone.
func rows(messages []capture.Message) []row {
	var out []row
	stretch := make(map[string]int) // data packets since the last key management message
	for i := range messages {
		m := &messages[i]
		if !isData(m) {
			clear(stretch)
			out = append(out, row{first: m, messages: []*capture.Message{m}})
			continue
		}
		key := dataKey(m)
		if at, ok := stretch[key]; ok {
			out[at].messages = append(out[at].messages, m)
			continue
		}
		stretch[key] = len(out)
		out = append(out, row{first: m, messages: []*capture.Message{m}})
	}
	return out
}

func isData(m *capture.Message) bool {
	switch m.Kind {
	case capture.KindESP, capture.KindAH, capture.KindClear, capture.KindFragment, capture.KindOther:
		return true
	}
	return false
}

// dataKey is equal for data packets that belong into one row. What a tester touched or what did not open stands apart.
func dataKey(m *capture.Message) string {
	return strings.Join([]string{m.Kind, m.Link, m.From.Addr().String(), m.To.Addr().String(), spiOf(m), m.Note, m.Err, worst(m)}, "|")
}

// worst is the worst result among the checks of a message.
func worst(m *capture.Message) string {
	result := ""
	for _, c := range m.Checks {
		switch {
		case c.Result == capture.Bad:
			return string(capture.Bad)
		case c.Result == capture.Unchecked || result == "":
			result = string(c.Result)
		}
	}
	return result
}

// elide keeps the first third and the last two thirds of at most limit rows, since a spec does at the end what it is
// about. skipped is how many messages fell out, and at where they would stand; -1 if nothing did.
func elide(all []row, limit int) (kept []row, at, skipped int) {
	if len(all) <= limit {
		return all, -1, 0
	}
	at = limit / 3
	tail := len(all) - (limit - at)
	for _, r := range all[at:tail] {
		skipped += len(r.messages)
	}
	return append(slices.Clone(all[:at]), all[tail:]...), at, skipped
}
