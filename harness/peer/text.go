package peer

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Text is a text of a manifest that is made for each device afresh: a template. Its zero value is nothing.
type Text struct {
	At       string
	line     int // in which it begins
	template *template.Template
}

// Set reports whether the manifest has the text.
func (t Text) Set() bool { return t.template != nil }

// render makes the text. An error names the place in the manifest.
func (t Text) render(data any) (string, error) {
	if t.template == nil {
		return "", nil
	}
	var b strings.Builder
	if err := t.template.Execute(&b, data); err != nil {
		return "", fmt.Errorf("%s: %w", t.At, &textError{t.line, err})
	}
	return b.String(), nil
}

// textError is what is wrong in a template. It names the line where the text begins in the manifest and the line within the
// text; their sum would be right only for texts that stand there line by line.
type textError struct {
	begins int
	err    error
}

// templateError takes apart what text/template says: the line, perhaps the column, and what is wrong.
var templateError = regexp.MustCompile(`(?s)^template: ` + templateName + `:(\d+)(?::\d+)?: (?:executing "` + templateName + `" )?(.*)$`)

const templateName = "text"

func (e *textError) Error() string {
	if m := templateError.FindStringSubmatch(e.err.Error()); m != nil {
		return fmt.Sprintf("line %s of the text that begins in line %d: %s", m[1], e.begins, m[2])
	}
	return fmt.Sprintf("the text that begins in line %d: %v", e.begins, e.err)
}

// Unwrap returns the error of text/template, which may wrap one of a function.
func (e *textError) Unwrap() error { return e.err }

// text reads a template.
func text(v yamldoc.Value) Text {
	s, ok := v.Text()
	if !ok {
		return Text{}
	}
	t, err := template.New(templateName).Funcs(functions).Option("missingkey=error").Parse(s)
	if err != nil {
		v.Problem("%v", &textError{v.TextLine(), err})
		return Text{}
	}
	return Text{v.Place(), v.TextLine(), t}
}

// functions are what templates have beside those of text/template; docs/peers.md lists them.
var functions = template.FuncMap{
	"seconds":     func(d time.Duration) int64 { return int64(d / time.Second) },
	"text":        func(b []byte) string { return string(b) },
	"pem":         encodePEM,
	"hex":         func(b []byte) string { return hex.EncodeToString(b) },
	"network":     func(p netip.Prefix) string { return p.Masked().Addr().String() },
	"netmask":     func(p netip.Prefix) (string, error) { return mask(p, 0) },
	"wildcard":    func(p netip.Prefix) (string, error) { return mask(p, 0xff) },
	"default":     otherwise,
	"gateway":     func(p netip.Prefix) string { return p.Masked().Addr().Next().String() },
	"fields":      func(v any) []string { return strings.Fields(fmt.Sprint(v)) },
	"split":       func(by, s string) []string { return strings.Split(s, by) },
	"word":        wordOf,
	"join":        join,
	"unsupported": func(what string) (string, error) { return "", &Unsupported{what} },
}

// encodePEM writes DER as PEM: one block, or one for each of a list.
func encodePEM(typ string, der any) (string, error) {
	var ders [][]byte
	switch der := der.(type) {
	case []byte:
		ders = [][]byte{der}
	case [][]byte:
		ders = der
	default:
		return "", fmt.Errorf("%T cannot be written as PEM", der)
	}
	var b strings.Builder
	for _, one := range ders {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: one}))
	}
	return b.String(), nil
}

// mask writes the mask of an IPv4 prefix, each octet altered by xor.
func mask(p netip.Prefix, xor byte) (string, error) {
	if !p.Addr().Is4() {
		return "", fmt.Errorf("%s has no mask in dotted form", p)
	}
	m := net.CIDRMask(p.Bits(), 32)
	for i := range m {
		m[i] ^= xor
	}
	return net.IP(m).String(), nil
}

// wordOf is what a table of "ours=theirs; ours=theirs" has for a value. For one that it has not the device has no word.
func wordOf(table string, value any) (string, error) {
	text := fmt.Sprint(value)
	for _, entry := range strings.Split(table, ";") {
		if ours, theirs, _ := strings.Cut(entry, "="); strings.TrimSpace(ours) == text {
			return strings.TrimSpace(theirs), nil
		}
	}
	return "", &Unsupported{fmt.Sprintf("no word for %q", text)}
}

// otherwise returns a value, or another one if it is zero, as policy's fields are when they stand for a default.
func otherwise(instead, value any) any {
	if truth, ok := template.IsTrue(value); ok && !truth {
		return instead
	}
	return value
}

func join(separator string, values any) string {
	switch list := values.(type) {
	case []string:
		return strings.Join(list, separator)
	case []netip.Prefix:
		return joined(separator, list)
	case []netip.AddrPort:
		return joined(separator, list)
	}
	return fmt.Sprint(values)
}

func joined[T fmt.Stringer](separator string, values []T) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.String()
	}
	return strings.Join(all, separator)
}

// SigningKeyFile is how a key server's Document names its signing key.
const SigningKeyFile = "signing.pem"

// keyServerData is what the templates of a key server see: its policy's fields, and its place's.
type keyServerData struct {
	policy.KeyServer
	Place
}

// Document is the policy in the reference's own form, beside which SigningKeyFile is expected.
func (d *keyServerData) Document() (string, error) {
	text, err := policy.MarshalKeyServer(d.KeyServer, SigningKeyFile)
	return string(text), err
}

// SigningKeyPEM is the key that signs rekey messages.
func (d *keyServerData) SigningKeyPEM() string { return string(policy.SigningKeyPEM(d.KeyServer)) }

// memberData is what the templates of a group member see.
type memberData struct {
	policy.Member
	Place
}

// Document is the policy in the reference's own form.
func (d *memberData) Document() (string, error) {
	text, err := policy.MarshalMember(d.Member)
	return string(text), err
}
