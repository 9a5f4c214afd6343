package gdoimap

import (
	"crypto"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// kekCiphers are the ciphers of Rekey SAs (RFC 6407 §5.3.2).
var kekCiphers = map[policy.KEKCipher]keymat.Cipher{
	policy.KEK3DES: keymat.TripleDES,
	policy.KEKAES:  keymat.AES,
}

// sigHashes are the hashes of signatures (RFC 6407 §5.3.5).
var sigHashes = map[policy.SigHash]crypto.Hash{
	policy.SigHashSHA1:   crypto.SHA1,
	policy.SigHashSHA256: crypto.SHA256,
	policy.SigHashSHA384: crypto.SHA384,
	policy.SigHashSHA512: crypto.SHA512,
}

// CipherOf is the cipher of a Rekey SA; AES of one whose KEK_ALGORITHM is not known.
func CipherOf(r policy.RekeySA) keymat.Cipher { return kekCiphers[r.Cipher] }

// SchemeOf is how messages under a Rekey SA are signed. Nothing verifies under a hash that is not known.
func SchemeOf(r policy.RekeySA) keymat.PushScheme {
	return keymat.PushScheme{Hash: sigHashes[r.SigHash], Bare: r.SigForm == policy.SigBareHash}
}

// AckOf is how acknowledgements of a type are keyed.
func AckOf(t policy.AckType) keymat.Ack {
	if t == policy.AckKEKSHA512 || t == policy.AckLKHSHA512 {
		return keymat.AckSHA512
	}
	return keymat.AckSHA256
}

// AckBase is the base key of acknowledgements of that type under a Rekey SA (RFC 8263 §2): the cipher key of the KEK, or that of
// the member's first LKH key. It is nil if the member has none.
func AckBase(r *policy.RekeySA, t policy.AckType) []byte {
	switch {
	case !t.LKH():
		return r.Key
	case r.LKH == nil || len(r.LKH.Path) == 0:
		return nil
	}
	return r.LKH.Path[0].Data[CipherOf(*r).BlockSize():]
}
