package isakmp_test

import (
	"bytes"
	"encoding/hex"
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

var (
	natd = isakmp.NATD{Data: unhex("4855e3a992452f55ea33142336ebd6d47d0b1180ef44b8484a53e8b7620af5fd")}
	cert = isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: unhex("3006020101020102")}
	cr   = isakmp.CR{Encoding: isakmp.CertX509Signature, Authority: unhex("3010310e300c06035504030c0547444c4142")}
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
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
	main3, main5 := headerOfMain1, headerOfMain1
	main3.ResponderCookie = isakmp.Cookie(cookiePair[8:])
	main5.ResponderCookie, main5.Flags = main3.ResponderCookie, isakmp.FlagEncryption
	tests := []struct {
		vector   string
		header   isakmp.Header
		payloads []isakmp.Payload
	}{
		{"isakmp/main-1", headerOfMain1, []isakmp.Payload{phase1SA}},
		{"isakmp/main-3", main3, []isakmp.Payload{isakmp.KE{Data: bytes.Repeat([]byte{0xa1}, 32)},
			isakmp.Nonce{Data: unhex("000102030405060708090a0b0c0d0e0f")}, cr, natd}},
		{"isakmp/main-5", main5, []isakmp.Payload{isakmp.ID{IDType: isakmp.IDIPv4Addr, Data: []byte{192, 0, 2, 1}}, cert,
			isakmp.SIG{Data: bytes.Repeat([]byte{0x5a}, 28)}}},
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

func TestGoldenPayloads(t *testing.T) {
	tests := []struct {
		vector string
		next   isakmp.PayloadType
		value  isakmp.Payload
	}{
		{"isakmp/phase1-sa", isakmp.PayloadNone, phase1SA},
		{"isakmp/cert", isakmp.PayloadSIG, cert},
		{"isakmp/cr", isakmp.PayloadNATD, cr},
		{"isakmp/nat-d", isakmp.PayloadNone, natd},
		{"isakmp/nat-oa", isakmp.PayloadNone, isakmp.NATOA{IDType: isakmp.IDIPv4Addr, Address: []byte{192, 0, 2, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			golden := wiretest.Vector(t, tt.vector)
			if got, err := isakmp.AppendPayload(nil, tt.next, tt.value); err != nil || !bytes.Equal(got, golden) {
				t.Errorf("appended %x (%v)\nwant     %x", got, err, golden)
			}
			parse := isakmp.Phase1[tt.value.Type()]
			if got, err := parse(golden[isakmp.GenericLen:], 32); err != nil || !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, tt.value)
			}
		})
	}
}
