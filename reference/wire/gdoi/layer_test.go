package gdoi_test

import (
	"strings"
	"testing"

	"github.com/google/gopacket"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestLayersOfDecryptedMessages(t *testing.T) {
	tests := []struct {
		vector string
		typ    gopacket.LayerType
		want   string
	}{
		{"gdoi/pull-2", gdoi.LayerTypePull, "HASH NONCE SA"},
		{"gdoi/pull-4", gdoi.LayerTypePull, "HASH SEQ KD"},
		{"gdoi/push", gdoi.LayerTypePush, "SEQ D D SIG"},
		{"gdoi/push-ack", isakmp.LayerTypeISAKMP, "HASH SEQ ID"},
	}
	for _, tt := range tests {
		golden := wiretest.Vector(t, tt.vector)
		p := gopacket.NewPacket(golden, tt.typ, gopacket.Default)
		l := p.Layer(tt.typ)
		if l == nil || p.ErrorLayer() != nil || p.ApplicationLayer() != l {
			t.Fatalf("%s: %v", tt.vector, p)
		}
		if got := gopacket.LayerString(l); !strings.HasSuffix(got, ": "+tt.want) {
			t.Errorf("%s: %q, want %q", tt.vector, got, tt.want)
		}
		for n := range len(golden) {
			p := gopacket.NewPacket(golden[:n:n], tt.typ, gopacket.DecodeOptions{SkipDecodeRecovery: true})
			if p.ErrorLayer() == nil || !p.Metadata().Truncated {
				t.Errorf("%s: %d octets: truncated %v, error %v", tt.vector, n, p.Metadata().Truncated, p.ErrorLayer())
			}
		}
	}
}

func TestACKLayerReadsSEQ(t *testing.T) {
	p := gopacket.NewPacket(wiretest.Vector(t, "gdoi/push-ack"), isakmp.LayerTypeISAKMP, gopacket.Default)
	l, ok := p.Layer(isakmp.LayerTypeISAKMP).(*isakmp.Layer)
	if !ok {
		t.Fatal(p)
	}
	if seq, _, ok := isakmp.Find[gdoi.SEQ](l.Payloads); !ok || seq.Number != 1 {
		t.Errorf("%+v", l.Payloads)
	}
}

func TestLayersDecodeInAParser(t *testing.T) {
	var pull gdoi.PullLayer
	var push gdoi.PushLayer
	for vector, first := range map[string]gopacket.DecodingLayer{"gdoi/pull-1": &pull, "gdoi/push": &push} {
		parser := gopacket.NewDecodingLayerParser(first.CanDecode().(gopacket.LayerType), first)
		var found []gopacket.LayerType
		if err := parser.DecodeLayers(wiretest.Vector(t, vector), &found); err != nil || len(found) != 1 {
			t.Errorf("%s: %v, %v", vector, found, err)
		}
	}
	if len(pull.Payloads) != 3 || len(push.Payloads) != 4 {
		t.Errorf("%v\n%v", &pull, &push)
	}
}

func FuzzLayers(f *testing.F) {
	for _, name := range []string{"gdoi/pull-2", "gdoi/pull-4", "gdoi/push", "gdoi/push-ack"} {
		f.Add(wiretest.Vector(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, typ := range []gopacket.LayerType{gdoi.LayerTypePull, gdoi.LayerTypePush} {
			p := gopacket.NewPacket(b, typ, gopacket.DecodeOptions{SkipDecodeRecovery: true})
			_ = p.String()
		}
	})
}
