package gdoimap

import (
	"crypto"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// kekCipher is one KEK_ALGORITHM (RFC 6407 §5.3.2).
type kekCipher struct {
	cipher  keymat.Cipher
	keyBits []uint64 // lengths of keys; one that has a single length need not tell it (§5.3.3)
}

var kekCiphers = map[policy.KEKCipher]kekCipher{
	policy.KEK3DES: {keymat.TripleDES, []uint64{192}},
	policy.KEKAES:  {keymat.AES, aesKeyBits},
}

// fixed reports whether all keys of the cipher have one length.
func (c kekCipher) fixed() bool { return len(c.keyBits) == 1 }

// sigHashes are the hashes of signatures (RFC 6407 §5.3.5).
var sigHashes = map[policy.SigHash]crypto.Hash{
	policy.SigHashSHA1:   crypto.SHA1,
	policy.SigHashSHA256: crypto.SHA256,
	policy.SigHashSHA384: crypto.SHA384,
	policy.SigHashSHA512: crypto.SHA512,
}

// CipherOf is the cipher of a Rekey SA; AES of one whose KEK_ALGORITHM is not known.
func CipherOf(r policy.RekeySA) keymat.Cipher { return kekCiphers[r.Cipher].cipher }

// SchemeOf is how messages under a Rekey SA are signed. Nothing verifies under a hash that is not known.
func SchemeOf(r policy.RekeySA) keymat.PushScheme {
	return keymat.PushScheme{Hash: sigHashes[r.SigHash], Bare: r.SigForm == policy.SigBareHash}
}

// AckOf is how acknowledgements of a type are keyed.
func AckOf(t policy.AckType) keymat.Ack {
	if t == policy.AckKEKSHA512 {
		return keymat.AckSHA512
	}
	return keymat.AckSHA256
}
