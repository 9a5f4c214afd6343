package getvpn

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
)

func TestEventFillsItsPlaces(t *testing.T) {
	l := Event(GMRegsCompl, Field("group", "G1"), Field("ks_addr", "10.1.11.2"), Field("gm_addr", "10.1.13.2"), Field("took", "3s"))
	want := "Registration to KS 10.1.11.2 complete for group G1 using address 10.1.13.2"
	if l.Text != want || l.Tag != "GM_REGS_COMPL" || l.Severity != core.Notice || len(l.Fields) != 4 {
		t.Errorf("the event is %+v, want the text %q", l, want)
	}
}

func TestOwn(t *testing.T) {
	own := KSLastGM.Own(Field("group", "G1"), Field("ks_addr", "10.0.8.1"))
	l := Event(KSLastGM, append([]core.Field{Field("group", "G2"), Field("gm_addr", "10.0.8.7")}, own...)...)
	if l.Text != "last GM 10.0.8.7 left group G2" || len(l.Fields) != 2 {
		t.Errorf("the event is %+v", l)
	}
}

func TestEventWithoutItsValues(t *testing.T) {
	if l := Event(KSLastGM, Field("group", "{gm_addr}")); l.Text != "last GM - left group {gm_addr}" {
		t.Errorf("the text is %q", l.Text)
	}
}

var (
	mnemonic = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	places   = regexp.MustCompile(`\{[a-z_]+\}`)
)

func TestEveryMessageIsWhole(t *testing.T) {
	var seen []string
	for _, m := range All() {
		if !mnemonic.MatchString(m.String()) || m.Facility() == "" || m.Severity() == 0 || table[m].text == "" {
			t.Errorf("message %d is %+v", m, table[m])
		}
		if slices.Contains(seen, m.String()) {
			t.Errorf("%s is there twice", m)
		}
		seen = append(seen, m.String())
		if found, ok := Find(m.String()); !ok || found != m {
			t.Errorf("%s is found as %v, %v", m, found, ok)
		}
		if rest := places.ReplaceAllString(table[m].text, ""); strings.ContainsAny(rest, "{}") {
			t.Errorf("%s has a place that cannot be filled: %s", m, table[m].text)
		}
	}
	if _, ok := Find("REGISTERED"); ok {
		t.Error("REGISTERED is one of them")
	}
}

func TestHead(t *testing.T) {
	if got := GMRegister.Head(); got != "%CRYPTO-5-GM_REGISTER" {
		t.Errorf("it is %q", got)
	}
}
