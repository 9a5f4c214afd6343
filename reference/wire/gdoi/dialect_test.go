package gdoi_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestPaddingIsGivenBack(t *testing.T) {
	for vector, d := range map[string]isakmp.Dialect{"gdoi/pull-4": gdoi.Pull, "gdoi/push": gdoi.Push} {
		b := append(wiretest.Vector(t, vector), make([]byte, 8)...)
		ps, padding, err := d.Parse(isakmp.PayloadType(b[16]), b[isakmp.HeaderLen:], isakmp.HeaderLen)
		if err != nil || len(ps) == 0 || len(padding) != 8 {
			t.Errorf("%s: %d payloads, padding %x, %v", vector, len(ps), padding, err)
		}
	}
}

// An SA of Phase 1 has another layout than that of GDOI: there is no SA Attribute Next Payload.
func TestDialectsTellTheSAsApart(t *testing.T) {
	phase1 := wiretest.Vector(t, "isakmp/phase1-sa")
	ps, _, err := isakmp.Phase1.Parse(isakmp.PayloadSA, phase1, 28)
	if _, _, ok := isakmp.Find[isakmp.SA](ps); !ok || err != nil {
		t.Errorf("Phase 1: %+v, %v", ps, err)
	}
	ps, _, err = gdoi.Pull.Parse(isakmp.PayloadSA, wiretest.Vector(t, "gdoi/sa"), 28)
	if _, _, ok := isakmp.Find[gdoi.SA](ps); !ok || err != nil {
		t.Errorf("PULL: %+v, %v", ps, err)
	}
	if _, _, err := gdoi.Pull.Parse(isakmp.PayloadSA, phase1, 28); err == nil {
		t.Error("the SA of Phase 1 was read as one of GDOI")
	}
}

func TestDialectOf(t *testing.T) {
	for x, typ := range map[isakmp.ExchangeType]isakmp.PayloadType{
		isakmp.ExchangePull: isakmp.PayloadKD, isakmp.ExchangePush: isakmp.PayloadSIG,
		isakmp.ExchangePushACK: isakmp.PayloadSEQ, isakmp.ExchangeMainMode: isakmp.PayloadKE,
	} {
		if _, ok := gdoi.DialectOf(x)[typ]; !ok {
			t.Errorf("the dialect of %v has no %v", x, typ)
		}
	}
}

// FuzzMessage reads any octets as a chain in each dialect of this package.
func FuzzMessage(f *testing.F) {
	for _, name := range []string{"gdoi/pull-1", "gdoi/pull-2", "gdoi/pull-3", "gdoi/pull-4", "gdoi/push", "gdoi/push-ack"} {
		b := wiretest.Vector(f, name)
		f.Add(b[18], b[16], b[isakmp.HeaderLen:])
	}
	f.Add(byte(isakmp.ExchangePull), byte(isakmp.PayloadKD), wiretest.Vector(f, "gdoi/kd-lkh"))
	f.Add(byte(isakmp.ExchangePush), byte(isakmp.PayloadPOP), wiretest.Vector(f, "gdoi/id-oid"))
	f.Fuzz(func(t *testing.T, exchange, first byte, b []byte) {
		d := gdoi.DialectOf(isakmp.ExchangeType(exchange))
		wiretest.CheckChain(t, d, isakmp.PayloadType(first), b, isakmp.HeaderLen)
	})
}
