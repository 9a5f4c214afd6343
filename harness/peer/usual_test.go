package peer

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestWhatAManifestUsuallyUses(t *testing.T) {
	const device = "name: x\nroles: {GM: {core: reference-gm}}\n" +
		"features: [unicast, phase1:3des, phase1:sha1, phase1:modp1024, phase1:aes-128, phase1:rsa, sig:ecdsa-256]\n"
	usual := Usual{Phase1: policy.DefaultProposal, Signature: policy.SigRSA}
	legacy, curve, keyed := usual, usual, usual
	keyed.PSK = "one-word"
	legacy.Phase1 = policy.Proposal{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.MODP1024}
	curve.Signature = policy.SigECDSA256
	for _, c := range []struct {
		line    string
		want    Usual
		problem string
	}{
		{"", usual, ""},
		{"phase1: 3des sha1 modp1024", legacy, ""},
		{"phase1: 3des sha1", usual, "x.yaml:4:9: phase1: \"3des sha1\" is no proposal like \"aes128-cbc sha256 modp2048\""},
		{"phase1: 3des sha7 modp1024", usual, "\"sha7\" is unknown; known are sha1,"},
		{"phase1: aes128-cbc sha1 ecp256", usual, "x does not declare the feature phase1:ecp256"},
		{"phase1: 3des sha1 modp1024 rsa", usual, "rsa needs certificates"},
		{"signature: ecdsa-256", curve, ""},
		{"psk: one-word", keyed, ""},
		{"psk: two words", usual, "\"two words\" is no name"},
		{"signature: rsa", usual, "x does not declare the feature sig:rsa"},
		{"signature: dsa", usual, "\"dsa\" is unknown; known are rsa, ecdsa-256"},
		{"signature: [rsa]", usual, "x.yaml:4:12: signature"},
	} {
		m, err := Parse("x.yaml", []byte(device+c.line+"\n"))
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, not %s", c.line, err, c.problem)
			}
		case err != nil:
			t.Errorf("%s: %v", c.line, err)
		case m.Usual != c.want:
			t.Errorf("%s: %+v", c.line, m.Usual)
		}
	}
}
