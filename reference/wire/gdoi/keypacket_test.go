package gdoi_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

func TestKeyPackets(t *testing.T) {
	key := wire.TLV(1, run(0, 4))
	tests := []struct{ made, want gdoi.KeyPacket }{
		{gdoi.TEKPacket(0x01020304, key), gdoi.KeyPacket{Type: 1, SPI: []byte{1, 2, 3, 4}, Attributes: []wire.Attribute{key}}},
		{gdoi.KEKPacket(spi, key, key), gdoi.KeyPacket{Type: 2, SPI: spi[:], Attributes: []wire.Attribute{key, key}}},
		{gdoi.LKHPacket(spi, key), gdoi.KeyPacket{Type: 3, SPI: spi[:], Attributes: []wire.Attribute{key}}},
		{gdoi.SIDPacket(12, 5, 6), gdoi.KeyPacket{Type: 4, Attributes: []wire.Attribute{wire.TV(1, 12), wire.TLV32(2, 5),
			wire.TLV32(2, 6)}}},
	}
	for _, tt := range tests {
		if !reflect.DeepEqual(tt.made, tt.want) {
			t.Errorf("made %+v, want %+v", tt.made, tt.want)
		}
	}
}

func TestValuesOfAKeyPacket(t *testing.T) {
	p := gdoi.SIDPacket(8, 5, 6)
	got := p.Values(gdoi.SIDValue)
	if len(got) != 2 || !bytes.Equal(got[0], []byte{0, 0, 0, 5}) || !bytes.Equal(got[1], []byte{0, 0, 0, 6}) {
		t.Errorf("%x", got)
	}
	if got := p.Values(99); got != nil {
		t.Errorf("%x", got)
	}
}
