package capture_test

import (
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// rekeys is a PUSH and its acknowledgement under a Rekey SA of that cipher and signing key.
func rekeys(kek policy.KEKTransform, key string, change func(*policy.RekeySA)) *capturetest.Talk {
	talk := capturetest.New("suites", policy.CipherAESGCM16)
	talk.NewRekey(kek, key, change)
	talk.Push()
	talk.Ack(capturetest.GM1)
	return talk
}

var (
	aes256 = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256}
	triple = policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}
)

// A PUSH is opened and its signature judged by the algorithms that the key log tells.
func TestDecodeSuites(t *testing.T) {
	const wrong = "bad (it is not a signature of this message by the key of the Rekey SA)"
	hash := func(h policy.SigHash) func(*policy.RekeySA) { return func(r *policy.RekeySA) { r.SigHash = h } }
	plain := func(*policy.RekeySA) {}
	bare := func(r *policy.RekeySA) { r.SigForm = policy.SigBareHash }
	same := func(*keylog.Entry) {}
	for name, test := range map[string]struct {
		kek    policy.KEKTransform
		key    string
		change func(*policy.RekeySA)
		log    func(*keylog.Entry)
		want   string
	}{
		"AES-256, RSA-3072, SHA-384":      {aes256, "ks-rsa3072", hash(policy.SigHashSHA384), same, "ok"},
		"3DES, RSA-4096, SHA-512":         {triple, "ks-rsa4096", hash(policy.SigHashSHA512), same, "ok"},
		"3DES, RSA-2048, SHA-1":           {triple, "ks1", hash(policy.SigHashSHA1), same, "ok"},
		"3DES, bare hash":                 {triple, "ks1", bare, same, "ok"},
		"AES-256, P-256":                  {aes256, "ks-p256", plain, same, "ok"},
		"3DES, P-384":                     {triple, "ks-p384", plain, same, "ok"},
		"3DES, P-521":                     {triple, "ks-p521", plain, same, "ok"},
		"P-521, hash not logged":          {aes256, "ks-p521", plain, func(k *keylog.Entry) { k.SigHash = 0 }, "ok"},
		"SHA-256, hash not logged":        {aes256, "ks1", plain, func(k *keylog.Entry) { k.SigHash = 0 }, "ok"},
		"bare hash, form not logged":      {aes256, "ks1", bare, func(k *keylog.Entry) { k.SigForm = "" }, wrong},
		"DigestInfo, logged as bare hash": {aes256, "ks1", plain, func(k *keylog.Entry) { k.SigForm = "bare-hash" }, wrong},
		"SHA-512, logged as SHA-384":      {aes256, "ks1", hash(policy.SigHashSHA512), func(k *keylog.Entry) { k.SigHash = 4 }, wrong},
		"a key that is none":              {aes256, "ks1", plain, func(k *keylog.Entry) { k.PublicKey = "30" }, "bad (keymat: not a public key of RSA or ECDSA: asn1: syntax error: truncated tag or length)"},
	} {
		t.Run(name, func(t *testing.T) {
			talk := rekeys(test.kek, test.key, test.change)
			for i := range talk.Keys {
				test.log(&talk.Keys[i])
			}
			expect(t, capture.Decode(talk.Frames, talk.Keys),
				"PUSH | HDR*, SEQ 1, SA {GAP, SAT}, KD, SIG | SIG: "+test.want,
				"PUSH-ACK | HDR, HASH, SEQ 1, ID | ACK HASH: ok")
		})
	}
}

// The length of the IV tells the cipher, even to a key log that names another one.
func TestPushOfAnotherCipher(t *testing.T) {
	talk := rekeys(triple, "ks1", func(r *policy.RekeySA) { r.Ack = policy.AckKEKSHA512 })
	for i := range talk.Keys {
		talk.Keys[i].Cipher = int(policy.KEKAES)
	}
	expect(t, capture.Decode(talk.Frames, talk.Keys),
		"PUSH | HDR*, SEQ 1, SA {GAP, SAT}, KD, SIG | SIG: ok",
		"PUSH-ACK | HDR, HASH, SEQ 1, ID | ACK HASH: ok")
}

// Of two nodes that were told different public keys for one Rekey SA, that one counts which verifies the message.
func TestPushWithTwoPublicKeys(t *testing.T) {
	talk, other := rekeys(aes256, "ks1", func(*policy.RekeySA) {}), rekeys(aes256, "ks2", func(*policy.RekeySA) {})
	at := func(keys []keylog.Entry) int {
		return slices.IndexFunc(keys, func(k keylog.Entry) bool { return k.Kind == keylog.KindRekey })
	}
	wrong := talk.Keys[at(talk.Keys)]
	wrong.PublicKey = other.Keys[at(other.Keys)].PublicKey
	for _, keys := range [][]keylog.Entry{append([]keylog.Entry{wrong}, talk.Keys...), append(talk.Keys[:len(talk.Keys):len(talk.Keys)], wrong)} {
		expect(t, capture.Decode(talk.Frames, keys),
			"PUSH | HDR*, SEQ 1, SA {GAP, SAT}, KD, SIG | SIG: ok",
			"PUSH-ACK | HDR, HASH, SEQ 1, ID | ACK HASH: ok")
	}
}
