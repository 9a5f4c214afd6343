package member_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// triple makes a Rekey SA one of 3DES.
func triple(r *policy.RekeySA) {
	r.Cipher, r.KeyBits, r.IV = policy.KEK3DES, 192, bytes.Repeat([]byte{7}, 8)
	r.Key = bytes.Join([][]byte{bytes.Repeat([]byte{2}, 8), bytes.Repeat([]byte{4}, 8), bytes.Repeat([]byte{8}, 8)}, nil)
}

// A member takes PUSH messages of every cipher and signature that its configuration allows, and none of another form.
func TestRekeySuites(t *testing.T) {
	bare := keymat.PushScheme{Hash: crypto.SHA256, Bare: true}
	for name, c := range map[string]struct {
		cfg   policy.MemberRekey
		setup func(*lab)
		takes bool
	}{
		"3DES":  {setup: func(l *lab) { triple(l.ks.rekey) }, takes: true},
		"P-256": {setup: signsWith(elliptic.P256()), takes: true},
		"P-384": {setup: signsWith(elliptic.P384()), takes: true},
		"P-521": {setup: signsWith(elliptic.P521()), takes: true},
		"SHA-512": {setup: func(l *lab) {
			l.ks.rekey.SigHash, l.ks.scheme.Hash = policy.SigHashSHA512, crypto.SHA512
		}, takes: true},
		"SHA-512 for SHA-256":                   {setup: func(l *lab) { l.ks.scheme.Hash = crypto.SHA512 }},
		"SHA-1, allowed":                        {cfg: policy.MemberRekey{AcceptSHA1: true}, setup: sha1, takes: true},
		"bare hash, configured":                 {cfg: policy.MemberRekey{SignatureForm: policy.SigBareHash}, setup: func(l *lab) { l.ks.scheme = bare }, takes: true},
		"bare hash, not configured":             {setup: func(l *lab) { l.ks.scheme = bare }},
		"DigestInfo where bare is configured":   {cfg: policy.MemberRekey{SignatureForm: policy.SigBareHash}, setup: func(*lab) {}},
		"ECDSA where bare is meant to be RSA's": {cfg: policy.MemberRekey{SignatureForm: policy.SigBareHash}, setup: signsWith(elliptic.P256()), takes: true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			cfg.Rekey = c.cfg
			l := newLabWith(t, cfg, nil)
			c.setup(l)
			l.start()
			if l.status().State != "registered" {
				t.Fatalf("it is %s", l.status().State)
			}
			l.push(l.ks.makePush(pushSpec{seq: 1}))
			if took := l.status().Sequence == 1; took != c.takes {
				t.Errorf("took it: %t, refused %v", took, l.refusals())
			}
		})
	}
}

func sha1(l *lab) { l.ks.rekey.SigHash, l.ks.scheme.Hash = policy.SigHashSHA1, crypto.SHA1 }

// Without being told to, a member does not register with a group whose signatures are of SHA-1, nor follows it there.
func TestSHA1IsRefused(t *testing.T) {
	l := newLab(t)
	sha1(l)
	l.start()
	if l.status().State == "registered" || l.status().Rejects["RFC6407-5.3.2-01"] == 0 {
		t.Errorf("it is %s, refused %v", l.status().State, l.refusals())
	}
	l = registered(t)
	weak := kek(2)
	weak.SigHash = policy.SigHashSHA1
	l.push(l.ks.makePush(pushSpec{seq: 1, rekey: weak}))
	if got := l.status(); got.Sequence != 0 || got.Rejects["RFC6407-5.3.2-01"] != 1 {
		t.Errorf("number %d, refused %v", got.Sequence, l.refusals())
	}
}

// The padding of 3DES is shorter than its block of 8 octets.
func TestPaddingOf3DES(t *testing.T) {
	for blocks, takes := range []bool{true, false} {
		l := newLab(t)
		triple(l.ks.rekey)
		l.start()
		l.push(l.ks.makePush(pushSpec{seq: 1, padding: blocks}))
		if took := l.status().Sequence == 1; took != takes {
			t.Errorf("%d blocks of padding: took it: %t, refused %v", blocks, took, l.refusals())
		}
	}
}
