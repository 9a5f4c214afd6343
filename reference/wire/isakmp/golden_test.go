package isakmp_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

var phase1SA = isakmp.SA{
	DOI: 2,
	Proposals: []isakmp.Proposal{{
		Number:   1,
		Protocol: isakmp.ProtoISAKMP,
		Transforms: []isakmp.Transform{{
			Number: 1,
			ID:     isakmp.TransformKeyIKE,
			Attributes: []wire.Attribute{
				wire.TV(isakmp.AttrEncryptionAlgorithm, isakmp.EncryptionAESCBC),
				wire.TV(isakmp.AttrKeyLength, 256),
				wire.TV(isakmp.AttrHashAlgorithm, isakmp.HashSHA256),
				wire.TV(isakmp.AttrAuthenticationMethod, isakmp.AuthPreSharedKey),
				wire.TV(isakmp.AttrGroupDescription, isakmp.GroupMODP2048),
				wire.TV(isakmp.AttrLifeType, isakmp.LifeSeconds),
				wire.TV(isakmp.AttrLifeDuration, 28800),
			},
		}},
	}},
}

var cookiePair = bytes.Join([][]byte{bytes.Repeat([]byte{0x11}, 8), bytes.Repeat([]byte{0x22}, 8)}, nil)

var informational = []isakmp.Payload{
	isakmp.Hash{Data: bytes.Repeat([]byte{0xee}, 32)},
	isakmp.Notify{DOI: 2, Protocol: isakmp.ProtoISAKMP, SPI: cookiePair, NotifyType: isakmp.NotifyInitialContact,
		Data: []byte{1, 2, 3, 4}},
	isakmp.Delete{Protocol: isakmp.ProtoISAKMP, SPISize: 16, SPIs: [][]byte{cookiePair}},
	isakmp.VID{Data: []byte("\xaf\xca\xd7\x13\x68\xa1\xf1\xc9\x6b\x86\x96\xfc\x77\x57\x01\x00")},
}

func TestGoldenMessages(t *testing.T) {
	info := isakmp.Header{
		InitiatorCookie: isakmp.Cookie(cookiePair[:8]),
		ResponderCookie: isakmp.Cookie(cookiePair[8:]),
		Version:         isakmp.Version10,
		Exchange:        isakmp.ExchangeInformational,
		Flags:           isakmp.FlagEncryption,
		MessageID:       0x0a0b0c0d,
	}
	tests := []struct {
		vector   string
		header   isakmp.Header
		payloads []isakmp.Payload
	}{
		{"isakmp/main-1", headerOfMain1, []isakmp.Payload{phase1SA}},
		{"isakmp/informational", info, informational},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			golden := wiretest.Vector(t, tt.vector)
			if got, err := isakmp.Assemble(tt.header, tt.payloads); err != nil || !bytes.Equal(got, golden) {
				t.Errorf("assembled %x (%v)\nwant      %x", got, err, golden)
			}
			h, err := isakmp.ParseHeader(golden)
			if err != nil || int(h.Length) != len(golden) {
				t.Fatalf("header %+v, %v", h, err)
			}
			ps, padding, err := isakmp.Phase1.Parse(h.NextPayload, golden[isakmp.HeaderLen:], isakmp.HeaderLen)
			if err != nil || len(padding) != 0 {
				t.Fatalf("parsed with padding %x: %v", padding, err)
			}
			if got := isakmp.Payloads(ps); !reflect.DeepEqual(got, tt.payloads) {
				t.Errorf("parsed %+v\nwant   %+v", got, tt.payloads)
			}
			wiretest.CheckTruncations(t, isakmp.Phase1, golden)
		})
	}
}

func TestGoldenPhase1SA(t *testing.T) {
	golden := wiretest.Vector(t, "isakmp/phase1-sa")
	if got, err := isakmp.AppendPayload(nil, isakmp.PayloadNone, phase1SA); err != nil || !bytes.Equal(got, golden) {
		t.Errorf("appended %x (%v)\nwant     %x", got, err, golden)
	}
	if got, err := isakmp.ParseSA(golden[isakmp.GenericLen:], 32); err != nil || !reflect.DeepEqual(got, phase1SA) {
		t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, phase1SA)
	}
}
