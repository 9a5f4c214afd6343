package gdoimap

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// lenient is a member with every check off.
func lenient(t testing.TB) *rule.Switches {
	t.Helper()
	rules := new(rule.Switches)
	for _, g := range own(rule.KindCheck, "gdoimap.") {
		if err := rules.Set(g.Name, rule.Off.String()); err != nil {
			t.Fatal(err)
		}
	}
	return rules
}

// read reads what can be decoded: whatever comes, the outcome is a policy or a violation, and a lenient member takes it.
func read(t *testing.T, saBody, kdBody []byte, off *rule.Switches) {
	sa, err := gdoi.ParseSA(saBody, 0)
	if err != nil {
		return
	}
	kd, err := gdoi.ParseKD(kdBody, 0)
	if err != nil {
		return
	}
	p, err := ReadSA(sa, nil)
	if err == nil {
		_, err = p.AddKeys(kd, nil)
	}
	if err != nil {
		violated(t, err)
	}
	if p, err = ReadSA(sa, off); err != nil {
		t.Errorf("with every check off: %v", err)
	}
	if _, err = p.AddKeys(kd, off); err != nil {
		t.Errorf("with every check off: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	whole, off := newFixture(nil), lenient(f)
	sa, kd := body(f, whole.sa), body(f, whole.kd)
	f.Add(sa, kd)
	f.Add(sa[:12], kd[:4])
	for _, rekey := range []*policy.RekeySA{tripleRekey(), ecdsaRekey()} {
		other := fixtureOf(rekey, nil)
		f.Add(body(f, other.sa), body(f, other.kd))
	}
	f.Fuzz(func(t *testing.T, saBody, kdBody []byte) { read(t, saBody, kdBody, off) })
}

// Each octet of both payloads altered in a few ways.
func TestEveryOctetAltered(t *testing.T) {
	f, off := newFixture(nil), lenient(t)
	sa, kd := body(t, f.sa), body(t, f.kd)
	for _, b := range [][]byte{sa, kd} {
		for i := range b {
			kept := b[i]
			for _, v := range []byte{kept ^ 1, kept ^ 0x80, 0, 0xff} {
				b[i] = v
				read(t, sa, kd, off)
			}
			b[i] = kept
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add(body(f, RequestOf(2, nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		gap, err := gdoi.ParseGAP(b, 0)
		if err != nil {
			return
		}
		if _, err := ReadRequest(gap, nil); err != nil {
			violated(t, err)
		}
	})
}
