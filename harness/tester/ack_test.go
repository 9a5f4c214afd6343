package tester_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// acked is a Rekey SA that asks for acknowledgements of that type.
func acked(kind policy.AckType) keylog.Entry {
	return keylog.Entry{Kind: keylog.KindRekey, SPI: hex.EncodeToString(bytes.Repeat([]byte{9}, 16)), Key: hex.EncodeToString(bytes.Repeat([]byte{7}, 16)),
		Ack: int(kind)}
}

// An acknowledgement that is forged is one of the type that is asked for; hashed as another type, it is as forged for that.
func TestForgedAcknowledgements(t *testing.T) {
	member := netip.MustParseAddr("192.0.2.1")
	forged := func(kind policy.AckType) (isakmp.Header, []isakmp.Payload) {
		data, err := tester.ForgeACK(acked(kind), 4, member)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := isakmp.ParseHeader(data)
		ps, _, err := gdoi.ACK.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
		if err != nil {
			t.Fatal(err)
		}
		var payloads []isakmp.Payload
		for _, p := range ps {
			payloads = append(payloads, p.Payload)
		}
		return h, payloads
	}
	h, short := forged(policy.AckKEKSHA256)
	_, long := forged(policy.AckKEKSHA512)
	o := &core.Outgoing{Kind: core.PushACK, Header: h, Payloads: short}
	tester.AckAs("with SHA-512", keymat.AckSHA512, acked(policy.AckKEKSHA256)).Tap(core.Authenticated, o)
	got, want := o.Payloads[0].(isakmp.Hash).Data, long[0].(isakmp.Hash).Data
	if len(want) != 64 || !bytes.Equal(got, want) || len(short[0].(isakmp.Hash).Data) != 32 {
		t.Errorf("HASH %x, want %x", got, want)
	}
	if _, err := tester.ForgeACK(keylog.Entry{SPI: "00"}, 1, member); err == nil {
		t.Error("forged under no Rekey SA")
	}
}
