package console

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Field is a label with its value.
type Field struct{ Label, Value string }

// Answer is the text that came back, taken apart.
type Answer struct {
	Text   string
	Fields []Field // in their order
}

// Read takes an answer apart. Every text is one.
func Read(text string) Answer {
	a := Answer{Text: text}
	for _, line := range strings.Split(text, "\n") {
		a.Fields = append(a.Fields, fieldsOf(line)...)
	}
	return a
}

// separator ends a label: a colon or, with blanks around it, an equals sign. Neither does within an address or a time.
var separator = regexp.MustCompile(`\s*:(?:\s+|$)|\s+=\s+`)

// next is where another field begins behind a value: after several blanks, or a comma.
var next = regexp.MustCompile(`\s{2,}|,\s+`)

// fieldsOf are the fields of a line. A port behind an ident belongs to its value.
func fieldsOf(line string) (all []Field) {
	rest := strings.TrimSpace(line)
	for rest != "" {
		at := separator.FindStringIndex(rest)
		if at == nil {
			break
		}
		label := strings.TrimSpace(rest[:at[0]])
		value, after := cut(rest[at[1]:])
		all = append(all, Field{label, value})
		rest = after
	}
	return all
}

// cut separates a value from the fields behind it on the same line.
func cut(text string) (value, after string) {
	for _, at := range next.FindAllStringIndex(text, -1) {
		rest := text[at[1]:]
		if sep := separator.FindStringIndex(rest); sep != nil && !strings.HasPrefix(rest, "port") && !next.MatchString(rest[:sep[0]]) {
			return strings.TrimSpace(text[:at[0]]), rest
		}
	}
	return strings.TrimSpace(text), ""
}

// plain is a label as it is compared.
func plain(label string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, label)
}

// Values are those of all fields with that label, in their order. Of a label with a star at its end the rest does not matter.
func (a Answer) Values(label string) (all []string) {
	wanted, open := strings.CutSuffix(plain(label), "*")
	for _, f := range a.Fields {
		if have := plain(f.Label); have == wanted || open && strings.HasPrefix(have, wanted) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Value is that of the first field with that label; it is not ok if there is none.
func (a Answer) Value(label string) (value string, ok bool) {
	all := a.Values(label)
	if len(all) == 0 {
		return "", false
	}
	return all[0], true
}

var number = regexp.MustCompile(`-?\d+`)

// Number is the first number in the value of the first field with that label.
func (a Answer) Number(label string) (int, error) {
	value, ok := a.Value(label)
	if !ok {
		return 0, fmt.Errorf("console: no field %q in %q", label, a.Text)
	}
	n, err := strconv.Atoi(number.FindString(value))
	if err != nil {
		return 0, fmt.Errorf("console: the field %q has no number: %q", label, value)
	}
	return n, nil
}

// Missing are those of the labels that are not there in this order: each after the one before it, whatever stands between.
func (a Answer) Missing(labels ...string) (missing []string) {
	at := 0
	for _, label := range labels {
		wanted, found := plain(label), false
		for i := at; i < len(a.Fields) && !found; i++ {
			if plain(a.Fields[i].Label) == wanted {
				at, found = i+1, true
			}
		}
		if !found {
			missing = append(missing, label)
		}
	}
	return missing
}

// Parts are the parts of the answer that begin with a line which the expression matches, without what stands before the first.
func (a Answer) Parts(begin string) (parts []Answer) {
	by := regexp.MustCompile(begin)
	var part []string
	within := false
	for _, line := range strings.Split(a.Text, "\n") {
		if by.MatchString(line) {
			if within {
				parts = append(parts, Read(strings.Join(part, "\n")))
			}
			part, within = nil, true
		}
		part = append(part, line)
	}
	if within {
		parts = append(parts, Read(strings.Join(part, "\n")))
	}
	return parts
}

// spi is one in hexadecimal, as 0x627E4B84(1652444036) has it.
var spi = regexp.MustCompile(`0x([0-9A-Fa-f]{1,8})\b`)

// SPIs are those of the fields "spi" of Data-Security SAs, each once, as eight digits.
func (a Answer) SPIs() (all []string) {
	seen := make(map[string]bool)
	for _, v := range a.Values("spi") {
		found := spi.FindStringSubmatch(v)
		if found == nil {
			continue
		}
		n, _ := strconv.ParseUint(found[1], 16, 32)
		if text := fmt.Sprintf("%08x", n); !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	return all
}

// Refused reports whether the device did not take the command.
func (a Answer) Refused() bool {
	return strings.HasPrefix(strings.TrimSpace(a.Text), "%") || strings.Contains(a.Text, "% Invalid input")
}
