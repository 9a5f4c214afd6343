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
	return keylog.Entry{Kind: keylog.KindRekey, SPI: hex.EncodeToString(append(bytes.Repeat([]byte{9}, 8), bytes.Repeat([]byte{8}, 8)...)), Key: hex.EncodeToString(bytes.Repeat([]byte{7}, 16)),
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

// Each way of deriving the key wrongly gives a HASH of its own, and with the right L the right one.
func TestAcknowledgementsWithAnotherKey(t *testing.T) {
	rekey := acked(policy.AckKEKSHA256)
	data, err := tester.ForgeACK(rekey, 4, netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	h, _ := isakmp.ParseHeader(data)
	ps, _, err := gdoi.ACK.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		t.Fatal(err)
	}
	right := ps[0].Payload.(isakmp.Hash).Data
	seen := map[string]string{string(right): "the right one"}
	hash := func(d tester.Deviation) []byte {
		o := &core.Outgoing{Kind: core.PushACK, Header: h, Payloads: []isakmp.Payload{isakmp.Hash{Data: right}, ps[1].Payload, ps[2].Payload}}
		d.Tap(core.Authenticated, o)
		return o.Payloads[0].(isakmp.Hash).Data
	}
	if !bytes.Equal(hash(tester.AckLength(512, rekey)), right) {
		t.Error("with L 512 the HASH is another")
	}
	for _, d := range []tester.Deviation{tester.AckUnderived(rekey), tester.AckUnterminated(rekey), tester.AckSwapped(rekey), tester.AckLength(256, rekey)} {
		got := string(hash(d))
		if other, ok := seen[got]; ok {
			t.Errorf("%s: as %s", d.Name, other)
		}
		seen[got] = d.Name
	}
}
