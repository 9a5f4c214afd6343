package catalog

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"sync"

	"github.com/gdoilab/gdoilab/fixtures"
)

// Message is one entry of fixtures/syslog-getvpn.yaml: a message by which a device of GET VPN tells an operator what happens.
type Message struct {
	Mnemonic      string   `yaml:"mnemonic" json:"mnemonic"`
	Facility      string   `yaml:"facility" json:"facility"`
	Severity      int      `yaml:"severity" json:"severity"`
	SeverityKnown bool     `yaml:"severity_known" json:"severity_known"`         // false: ours is a proposal
	Role          string   `yaml:"role" json:"role"`                             // who tells it: KS, GM, both or COOP
	Format        string   `yaml:"format" json:"format"`                         // with {placeholders}
	FormatKnown   bool     `yaml:"format_known" json:"format_known"`             // false: the words are ours
	Variants      []string `yaml:"variants,omitempty" json:"variants,omitempty"` // other words of devices
	Match         string   `yaml:"match" json:"match"`                           // the message from any device, as an expression
	Example       string   `yaml:"example,omitempty" json:"example,omitempty"`   // a line of a device
	Cause         string   `yaml:"cause" json:"cause"`
	Hostile       bool     `yaml:"hostile,omitempty" json:"hostile,omitempty"` // it may tell of an attack
	Note          string   `yaml:"note,omitempty" json:"note,omitempty"`

	match   *regexp.Regexp
	formats []*regexp.Regexp
}

// Messages are the messages of a catalogue in its order. They are read-only.
type Messages struct {
	all        []Message
	byMnemonic map[string]int
}

var loadMessages = sync.OnceValues(func() (*Messages, error) {
	text, err := fs.ReadFile(fixtures.FS, "syslog-getvpn.yaml")
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return ParseMessages(text)
})

// LoadMessages returns the messages of GET VPN. They are read once and shared.
func LoadMessages() (*Messages, error) { return loadMessages() }

// ParseMessages reads messages. It refuses unknown fields, a mnemonic that is missing or occurs twice, and an expression that is none.
func ParseMessages(text []byte) (*Messages, error) {
	var all []Message
	if err := unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("catalog: messages: %w", err)
	}
	ms := &Messages{all: all, byMnemonic: make(map[string]int, len(all))}
	for i := range all {
		m := &all[i]
		if m.Mnemonic == "" {
			return nil, fmt.Errorf("catalog: messages: entry %d has no mnemonic", i+1)
		}
		if _, twice := ms.byMnemonic[m.Mnemonic]; twice {
			return nil, fmt.Errorf("catalog: messages: %s is there twice", m.Mnemonic)
		}
		if err := m.compile(); err != nil {
			return nil, fmt.Errorf("catalog: messages: %s: %w", m.Mnemonic, err)
		}
		ms.byMnemonic[m.Mnemonic] = i
	}
	return ms, nil
}

// All returns every message in the order of the catalogue. The slice is shared: do not change it.
func (ms *Messages) All() []Message { return ms.all }

// Find returns the message of that name: the mnemonic, or what stands in front of a line with or without its severity, as in
// GM_REGS_COMPL, GDOI-GM_REGS_COMPL and %GDOI-5-GM_REGS_COMPL. The error of an unknown name is an *UnknownError.
func (ms *Messages) Find(name string) (Message, error) {
	mnemonic := strings.ToUpper(strings.TrimSuffix(name[strings.LastIndexByte(name, '-')+1:], ":"))
	if i, ok := ms.byMnemonic[mnemonic]; ok {
		return ms.all[i], nil
	}
	names := make([]string, len(ms.all))
	for i, m := range ms.all {
		names[i] = m.Mnemonic
	}
	return Message{}, &UnknownError{ID: name, What: "message", Near: Nearest(mnemonic, names)}
}

// Read looks for a message in a line of a device's log, and returns the values of its placeholders as far as the words are ones that
// the catalogue has.
func (ms *Messages) Read(line string) (m Message, fields map[string]string, found bool) {
	at := strings.IndexByte(line, '%')
	if at < 0 {
		return Message{}, nil, false
	}
	for i := range ms.all {
		if span := ms.all[i].match.FindStringIndex(line[at:]); span != nil {
			return ms.all[i], ms.all[i].values(line[at:]), true
		}
	}
	return Message{}, nil, false
}

// compile makes expressions of what the entry says of lines.
func (m *Message) compile() (err error) {
	if m.match, err = regexp.Compile(m.Match); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	for _, format := range append([]string{m.Format}, m.Variants...) {
		head, words, ok := strings.Cut(format, ": ")
		if !ok {
			return fmt.Errorf("%q has nothing behind its name", head)
		}
		expression, err := regexp.Compile(expressionOf(words))
		if err != nil {
			return fmt.Errorf("%q: %w", words, err)
		}
		m.formats = append(m.formats, expression)
	}
	return nil
}

// expressionOf matches the words of a format from any device: in letters of any case, with any space between them, and its placeholders as
// groups of their names.
func expressionOf(words string) string {
	var b strings.Builder
	b.WriteString(`(?i)^\s*`)
	for words != "" {
		literal, rest, found := strings.Cut(words, "{")
		b.WriteString(spaced(literal))
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString("(?P<" + name + ">.+?)")
		words = after
	}
	return b.String() + `\s*$`
}

func spaced(literal string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(literal, ".")), " ", `\s+`) + fullStop(literal)
}

// fullStop lets a sentence end with or without it.
func fullStop(literal string) string {
	if strings.HasSuffix(literal, ".") {
		return `\.?`
	}
	return ""
}

// values are those of the placeholders in a line that begins with the message's name.
func (m *Message) values(line string) map[string]string {
	_, words, _ := strings.Cut(line, ":")
	fields := make(map[string]string)
	for _, format := range m.formats {
		found := format.FindStringSubmatch(words)
		if found == nil {
			continue
		}
		for i, name := range format.SubexpNames() {
			if name != "" {
				fields[name] = found[i]
			}
		}
		break
	}
	return fields
}
