package ike

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Offsets in the header.
const (
	atNext      = 16
	atVersion   = 17
	atExchange  = 18
	atFlags     = 19
	atMessageID = 20
	atLength    = 24
)

func set(data []byte, at int, octets ...byte) []byte {
	data = bytes.Clone(data)
	copy(data[at:], octets)
	return data
}

// longer appends octets and counts them in Length.
func longer(data []byte, octets ...byte) []byte {
	data = append(bytes.Clone(data), octets...)
	binary.BigEndian.PutUint32(data[atLength:], uint32(len(data)))
	return data
}

// behind puts a Vendor ID of so many octets behind the only payload, SA.
func behind(data []byte, n int) []byte {
	data = set(data, isakmp.HeaderLen, byte(isakmp.PayloadVID))
	return longer(data, append([]byte{0, 0, 0, byte(isakmp.GenericLen + n)}, make([]byte, n)...)...)
}

// badCase is a message and the guard that refuses it; none if it is accepted.
type badCase struct {
	name  string
	data  []byte
	guard string
}

func headerCases(good []byte) []badCase {
	n := byte(len(good))
	return []badCase{
		{"27 octets", good[:27], "ike.header.length"},
		{"nothing", nil, "ike.header.length"},
		{"one less", set(good, atLength, 0, 0, 0, n-1), "ike.header.length"},
		{"one more", set(good, atLength, 0, 0, 0, n+1), "ike.header.length"},
		{"version 0.0", set(good, atVersion, 0x00), "ike.header.version.below"},
		{"version 1.1", set(good, atVersion, 0x11), "ike.header.version.above"},
		{"version 1.15", set(good, atVersion, 0x1f), "ike.header.version.above"},
		{"version 2.0", set(good, atVersion, 0x20), "ike.header.version.above"},
		{"encrypted", set(good, atFlags, 0x01), "ike.header.flags"},
		{"authentication only", set(good, atFlags, 0x04), "ike.header.flags"},
		{"flag 3", set(good, atFlags, 0x08), "ike.header.flags"},
		{"flag 7", set(good, atFlags, 0x80), "ike.header.flags"},
		{"all but E", set(good, atFlags, 0xfe), "ike.header.flags"},
		{"exchange 0", set(good, atExchange, 0), "ike.header.exchange"},
		{"aggressive", set(good, atExchange, 4), "ike.header.exchange"},
		{"informational", set(good, atExchange, 5), "ike.header.exchange"},
		{"exchange 34", set(good, atExchange, 34), "ike.header.exchange"},
		{"exchange 255", set(good, atExchange, 255), "ike.header.exchange"},
		{"Message ID", set(good, atMessageID, 0, 0, 0, 1), "ike.header.mid"},
		{"no cookie", set(good, 0, make([]byte, 8)...), "ike.header.cookies"},
		{"responder cookie", set(good, 8, 1), "ike.header.cookies"},
		{"no payload", set(good, atNext, 0), "ike.chain.end"},
		{"payload 23", set(good, atNext, 23), "ike.main.payload"},
		{"payload 99", set(good, atNext, 99), "ike.main.payload"},
		{"payload 200", set(good, atNext, 200), "ike.main.payload"},
		{"trailing zero", longer(good, 0), "ike.chain.end"},
		{"aligned by three zeros", longer(behind(good, 5), 0, 0, 0), ""},
		{"three octets that are no zeros", longer(behind(good, 5), 0, 0, 1), "ike.chain.end"},
		{"two zeros where three would align", longer(behind(good, 5), 0, 0), "ike.chain.end"},
		{"four zeros", longer(good, 0, 0, 0, 0), "ike.chain.end"},
		{"SA names a proposal", set(good, isakmp.HeaderLen, 2), "ike.chain.form"},
		{"SA reserved", set(good, isakmp.HeaderLen+1, 1), "ike.chain.reserved"},
		{"SA too long", set(good, isakmp.HeaderLen+2, 0xff), "ike.chain.form"},
		{"commit flag", set(good, atFlags, 0x02), ""},
	}
}

func TestHeaderOfMessage1(t *testing.T) {
	for _, tc := range headerCases(main1(t, goodSA())) {
		t.Run(tc.name, func(t *testing.T) {
			x, ds, err := respond(tc.data, nil)
			if tc.guard == "" {
				if err != nil || len(ds) != 1 {
					t.Errorf("refused: %v", err)
				}
				return
			}
			wantGuard(t, err, tc.guard)
			if x != nil || ds != nil {
				t.Errorf("kept %v, answered %v", x, ds)
			}
		})
	}
}

func payloadCases(tb testing.TB) []badCase {
	tb.Helper()
	vid, sa := isakmp.VID{Data: []byte("vendor")}, goodSA()
	many := []isakmp.Payload{sa}
	for n := 1; n <= 255; n += 28 {
		many = append(many, isakmp.VID{Data: make([]byte, n)})
	}
	var cases []badCase
	for _, tc := range []struct {
		name  string
		ps    []isakmp.Payload
		guard string
	}{
		{"vendor IDs", many, ""},
		{"certificate request", []isakmp.Payload{sa, isakmp.Raw{PayloadType: isakmp.PayloadCR, Body: []byte{4}}}, ""},
		{"vendor ID first", []isakmp.Payload{vid, sa}, "ike.main.sa.first"},
		{"only a vendor ID", []isakmp.Payload{vid}, "ike.main.sa.first"},
		{"two SAs", []isakmp.Payload{sa, sa}, "ike.main.once"},
		{"KE", []isakmp.Payload{sa, isakmp.KE{Data: make([]byte, 256)}}, "ike.main.payload"},
		{"vendor ID reserved", []isakmp.Payload{sa, isakmp.Framed{Payload: vid, Reserved: 1}}, "ike.chain.reserved"},
		{"vendor ID too long", []isakmp.Payload{sa, isakmp.Framed{Payload: vid, LengthDelta: 1}}, "ike.chain.form"},
		{"vendor ID of length 3", []isakmp.Payload{sa, isakmp.Framed{Payload: vid, LengthDelta: 3 - 10}}, "ike.chain.form"},
	} {
		cases = append(cases, badCase{tc.name, main1(tb, tc.ps...), tc.guard})
	}
	return cases
}

func TestPayloadsOfMessage1(t *testing.T) {
	for _, tc := range payloadCases(t) {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := respond(tc.data, nil)
			if tc.guard == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantGuard(t, err, tc.guard)
		})
	}
}
