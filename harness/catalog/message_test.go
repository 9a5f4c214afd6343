package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
)

func messages(t testing.TB) *catalog.Messages {
	t.Helper()
	ms, err := catalog.LoadMessages()
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func TestMessagesSchema(t *testing.T) {
	s, err := schema.Compile(schema.Messages)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(messages(t).All())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(decode(t, text)); err != nil {
		t.Error(err)
	}
}

// The reference tells the messages as the catalogue has them, but for those of key servers among several.
func TestMessagesAreThoseOfTheReference(t *testing.T) {
	for _, m := range messages(t).All() {
		of, ok := getvpn.Find(m.Mnemonic)
		switch {
		case ok == (m.Role == "COOP"):
			t.Errorf("%s of %s: the reference has it: %v", m.Mnemonic, m.Role, ok)
		case ok && of.Format() != m.Format:
			t.Errorf("the reference says\n%s\nand the catalogue\n%s", of.Format(), m.Format)
		}
	}
	for _, m := range getvpn.All() {
		if _, err := messages(t).Find(m.String()); err != nil {
			t.Error(err)
		}
	}
}

func TestMessageParts(t *testing.T) {
	for _, m := range messages(t).All() {
		head := fmt.Sprintf("%%%s-%d-%s: ", m.Facility, m.Severity, m.Mnemonic)
		if !strings.HasPrefix(m.Format, head) {
			t.Errorf("%s: its format does not begin with %q", m.Mnemonic, head)
		}
		if m.FormatKnown != (m.Example != "") {
			t.Errorf("%s: its words are known: %v, and the example is %q", m.Mnemonic, m.FormatKnown, m.Example)
		}
	}
}

func TestExamplesAreRead(t *testing.T) {
	ms := messages(t)
	for _, m := range ms.All() {
		if m.Example == "" {
			continue
		}
		got, fields, found := ms.Read(m.Example)
		if !found || got.Mnemonic != m.Mnemonic || len(fields) != strings.Count(m.Format, "{") {
			t.Errorf("%s is read as %s with %v (%v)", m.Example, got.Mnemonic, fields, found)
		}
	}
}

// What the reference tells is read again with every value, whatever stands in front.
func TestMessagesOfTheReferenceAreRead(t *testing.T) {
	ms := messages(t)
	for _, m := range getvpn.All() {
		want := map[string]string{}
		var given []core.Field
		for i, part := range strings.Split(m.Format(), "{")[1:] {
			name, _, _ := strings.Cut(part, "}")
			want[name] = fmt.Sprintf("10.0.0.%d", i+1)
			given = append(given, getvpn.Field(name, want[name]))
		}
		line := "<189>45: *Jul 28 23:42:41.311: " + m.Head() + ": " + getvpn.Event(m, given...).Text
		got, fields, found := ms.Read(line)
		if !found || got.Mnemonic != m.String() || fmt.Sprint(fields) != fmt.Sprint(want) {
			t.Errorf("%s is read as %s with %v (%v)", line, got.Mnemonic, fields, found)
		}
	}
}

func TestReadTolerates(t *testing.T) {
	for line, want := range map[string]string{
		"%GDOI-6-GM_REGS_COMPL: registration to KS 10.1.11.2  complete for group G1 using address 10.1.13.2": "10.1.11.2",
		"%CRYPTO-5-GM_REGSTER: Start registration to KS 10.1.11.2 for group G1 using address 10.1.13.2":      "10.1.11.2",
		"%GDOI-5-GM_REGS_COMPL: Fertig.": "",
	} {
		if _, fields, found := messages(t).Read(line); !found || fields["ks_addr"] != want {
			t.Errorf("%s: %v, %v", line, fields, found)
		}
	}
	for _, line := range []string{"", "GM_REGS_COMPL", "%GDOI-5-GM_REGS_COMPLETE: no", "%", "100% of %GDOI"} {
		if m, _, found := messages(t).Read(line); found {
			t.Errorf("%q is read as %s", line, m.Mnemonic)
		}
	}
}

func TestFindMessage(t *testing.T) {
	for _, name := range []string{"GM_REGISTER", "GDOI-GM_REGISTER", "%CRYPTO-5-GM_REGISTER:", "gm_register"} {
		if m, err := messages(t).Find(name); err != nil || m.Mnemonic != "GM_REGISTER" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	_, err := messages(t).Find("GM_REGSITER")
	var unknown *catalog.UnknownError
	if !errors.As(err, &unknown) || !slices.Contains(unknown.Near, "GM_REGISTER") || !strings.Contains(err.Error(), "no message") {
		t.Errorf("%v", err)
	}
}

func TestParseMessagesRefuses(t *testing.T) {
	whole := "- mnemonic: A\n  format: '%GDOI-5-A: a'\n"
	for name, test := range map[string]struct{ text, says string }{
		"not YAML":      {"- id: [", "messages:"},
		"unknown field": {"- colour: red\n", "colour"},
		"no mnemonic":   {"- role: KS\n", "entry 1 has no mnemonic"},
		"one twice":     {whole + whole, "A is there twice"},
		"no expression": {whole + "  match: '('\n", "match"},
		"no words":      {"- mnemonic: A\n  format: A\n", "nothing behind"},
		"a bad place":   {"- mnemonic: A\n  format: 'A: {a b}'\n", "a b"},
	} {
		if _, err := catalog.ParseMessages([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, test.says)
		}
	}
}

func FuzzParseMessages(f *testing.F) {
	f.Add([]byte("- mnemonic: A\n  format: '%GDOI-5-A: a {b}'\n  match: '%GDOI-[0-7]-A'\n"), "%GDOI-5-A: a c")
	f.Fuzz(func(_ *testing.T, text []byte, line string) {
		if ms, err := catalog.ParseMessages(text); err == nil {
			ms.Read(line)
		}
	})
}
