package keylog_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Each octet string of a Phase 1 secret has its name in the key log, and comes back from it.
func TestPhase1Entry(t *testing.T) {
	secret := &core.Phase1Secret{InitiatorCookie: [8]byte{0x11}, ResponderCookie: [8]byte{0x22}, SKEYID: []byte{1}, SKEYIDd: []byte{2},
		SKEYIDa: []byte{3}, SKEYIDe: []byte{4}, CipherKey: []byte{5}, FirstIV: []byte{6}, Shared: []byte{7}}
	entries := keylog.Of("GM1", time.Unix(0, 0).UTC(), &core.Secret{Phase1: secret})
	text, err := json.Marshal(entries[0])
	if err != nil || len(entries) != 1 {
		t.Fatal(err, len(entries))
	}
	for _, want := range []string{`"kind":"phase1"`, `"cookie_i":"1100000000000000"`, `"cookie_r":"2200000000000000"`, `"skeyid":"01"`, `"skeyid_d":"02"`,
		`"skeyid_a":"03"`, `"skeyid_e":"04"`, `"cipher_key":"05"`, `"first_iv":"06"`, `"g_xy":"07"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	back, err := keylog.Read(text)
	if err != nil || len(back) != 1 || back[0].Shared != "07" {
		t.Errorf("%+v, %v", back, err)
	}
}

// So has everything of a Data-Security SA.
func TestTrafficEntry(t *testing.T) {
	sa := &policy.TrafficSA{SPI: 0x1234, CipherKey: []byte{1}, IntegrityKey: []byte{2}, Transform: policy.Transform{Cipher: policy.CipherAESCBC,
		KeyBits: 128, Integrity: policy.IntegrityHMACSHA512, ESN: true, Mode: policy.ModeTunnel, Preservation: policy.PreserveBoth,
		Direction: policy.DirectionSenderOnly}}
	text, err := json.Marshal(keylog.Of("GM1", time.Unix(0, 0).UTC(), &core.Secret{Traffic: sa})[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"kind":"traffic"`, `"spi":"00001234"`, `"cipher":12`, `"key_bits":128`, `"cipher_key":"01"`, `"integrity":7`,
		`"integrity_key":"02"`, `"esn":true`, `"mode":1`, `"preservation":4`, `"direction":1`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

// The algorithms of a Rekey SA are told by their numbers, and the form of its signatures where it is not that of the RFC.
func TestRekeyEntry(t *testing.T) {
	r := policy.RekeySA{Cipher: policy.KEK3DES, KeyBits: 192, SigHash: policy.SigHashSHA512, SigAlgorithm: policy.SigRSA, Ack: policy.AckKEKSHA512}
	for form, want := range map[policy.SigForm]string{policy.SigDigestInfo: "", policy.SigBareHash: "bare-hash"} {
		r.SigForm = form
		e := keylog.Of("KS", time.Unix(0, 0).UTC(), &core.Secret{Rekey: &r})[0]
		if e.Cipher != 2 || e.KeyBits != 192 || e.SigHash != 5 || e.SigAlgorithm != 1 || e.Ack != 3 || e.SigForm != want {
			t.Errorf("%+v", e)
		}
	}
}
