package keymat

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"io"
)

// keyPad is what a shared key is mixed with (RFC 7296 §2.15).
const keyPad = "Key Pad for IKEv2"

// IKEv2Signed are the octets that an AUTH payload is about: the own first message as it was sent, the nonce of the other side, and
// the body of the own ID payload under the own SK_p (RFC 7296 §2.15).
func IKEv2Signed(h Hash, message, nonce, p, idBody []byte) []byte {
	return append(append(append([]byte(nil), message...), nonce...), h.PRF(p, idBody)...)
}

// IKEv2SharedKey is the AUTH of a shared key over such octets (RFC 7296 §2.15).
func IKEv2SharedKey(h Hash, psk, signed []byte) []byte {
	return h.PRF(h.PRF(psk, []byte(keyPad)), signed)
}

// AuthForm is how octets are signed for an AUTH payload: RSA over their digest by PKCS #1 v1.5 or by PSS with a salt as long as the
// digest, ECDSA as the SEQUENCE of r and s in DER or, Bare, one after another (RFC 7296 §2.15, RFC 7427 §3, RFC 4754 §7).
type AuthForm struct {
	Hash Hash
	PSS  bool // of RSA
	Bare bool // of ECDSA
}

// Sign signs octets. Without PSS the same octets and key give the same signature; with PSS the salt is taken from rand.
func (f AuthForm) Sign(rand io.Reader, key crypto.Signer, signed []byte) ([]byte, error) {
	digest := f.Hash.Sum(signed)
	if ec, ok := key.(*ecdsa.PrivateKey); ok && f.Bare {
		return signBareECDSA(ec, digest)
	}
	var sig []byte
	var err error
	if own, ok := key.(*rsa.PrivateKey); ok && f.PSS {
		sig, err = rsa.SignPSS(rand, own, f.Hash.crypto(), digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		sig, err = key.Sign(nil, digest, f.Hash.crypto())
	}
	if err != nil {
		return nil, fmt.Errorf("keymat: sign AUTH: %w", err)
	}
	return sig, nil
}

// Verify checks a signature by Sign. The error is ErrSignature, or ErrPublicKey for a key of another kind.
func (f AuthForm) Verify(key crypto.PublicKey, signed, sig []byte) error {
	digest, ok := f.Hash.Sum(signed), false
	switch key := key.(type) {
	case *rsa.PublicKey:
		if f.PSS {
			ok = rsa.VerifyPSS(key, f.Hash.crypto(), digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(key, f.Hash.crypto(), digest, sig) == nil
		}
	case *ecdsa.PublicKey:
		if f.Bare {
			return VerifyHash(key, digest, sig)
		}
		ok = ecdsa.VerifyASN1(key, digest, sig)
	default:
		return ErrPublicKey
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// algorithms are the AlgorithmIdentifiers of digital signatures, in DER and hexadecimal (RFC 7427 appendix A).
var algorithms = []struct {
	of  AuthForm
	rsa bool
	der string
}{
	{AuthForm{Hash: SHA1}, true, "300d06092a864886f70d0101050500"},
	{AuthForm{Hash: SHA256}, true, "300d06092a864886f70d01010b0500"},
	{AuthForm{Hash: SHA384}, true, "300d06092a864886f70d01010c0500"},
	{AuthForm{Hash: SHA512}, true, "300d06092a864886f70d01010d0500"},
	{AuthForm{Hash: SHA256, PSS: true}, true, "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"},
	{AuthForm{Hash: SHA384, PSS: true}, true, "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"},
	{AuthForm{Hash: SHA512, PSS: true}, true, "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140"},
	{AuthForm{Hash: SHA1}, false, "300906072a8648ce3d0401"},
	{AuthForm{Hash: SHA256}, false, "300a06082a8648ce3d040302"},
	{AuthForm{Hash: SHA384}, false, "300a06082a8648ce3d040303"},
	{AuthForm{Hash: SHA512}, false, "300a06082a8648ce3d040304"},
}

// Algorithm is the AlgorithmIdentifier, in DER, of a digital signature in that form with a key (RFC 7427 §3); ok is false if there is none.
func (f AuthForm) Algorithm(key crypto.PublicKey) (der []byte, ok bool) {
	_, isRSA := key.(*rsa.PublicKey)
	_, isECDSA := key.(*ecdsa.PublicKey)
	for _, row := range algorithms {
		if row.of == f && row.rsa == isRSA && !row.rsa == isECDSA {
			der, err := hex.DecodeString(row.der)
			return der, err == nil
		}
	}
	return nil, false
}

// FormOf is the form of a digital signature by an AlgorithmIdentifier in DER, if it is one for that kind of key.
func FormOf(key crypto.PublicKey, der []byte) (AuthForm, bool) {
	for _, row := range algorithms {
		if own, ok := row.of.Algorithm(key); ok && bytes.Equal(own, der) {
			return row.of, true
		}
	}
	return AuthForm{}, false
}
