package keymat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// DeriveSigned derives the keys of Phase 1 with signatures, whose SKEYID is made of the nonces and g^xy (RFC 2409 §5). PSK does
// not count.
func DeriveSigned(in Phase1Input) Phase1Keys {
	key := append(append([]byte(nil), in.Ni...), in.Nr...)
	return in.derive(in.PRF(key, in.Shared))
}

// SignHash signs HASH_I or HASH_R with a key as it is: RSA in a block of PKCS #1 type 1 without DigestInfo (RFC 2409 §5.1), ECDSA
// as r and s one after another, each as long as the field (RFC 4754 §7). The same HASH and key give the same signature.
func SignHash(key crypto.Signer, hash []byte) ([]byte, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		sig, err := rsa.SignPKCS1v15(nil, key, 0, hash)
		if err != nil {
			return nil, fmt.Errorf("keymat: sign HASH: %w", err)
		}
		return sig, nil
	case *ecdsa.PrivateKey:
		return signBareECDSA(key, hash)
	}
	return nil, fmt.Errorf("keymat: sign HASH: %w: %T", ErrPublicKey, key)
}

func signBareECDSA(key *ecdsa.PrivateKey, hash []byte) ([]byte, error) {
	digest, ok := HashOfSize(len(hash))
	if !ok {
		return nil, fmt.Errorf("keymat: sign HASH: %d octets are no digest", len(hash))
	}
	der, err := key.Sign(nil, hash, digest.crypto())
	if err != nil {
		return nil, fmt.Errorf("keymat: sign HASH: %w", err)
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, fmt.Errorf("keymat: sign HASH: %w", err)
	}
	sig := make([]byte, SignatureLen(&key.PublicKey))
	pair.R.FillBytes(sig[:len(sig)/2])
	pair.S.FillBytes(sig[len(sig)/2:])
	return sig, nil
}

// VerifyHash checks a signature by SignHash. The error is ErrSignature.
func VerifyHash(key crypto.PublicKey, hash, sig []byte) error { return verify(key, 0, hash, sig) }

// SignDigestInfo signs HASH_I or HASH_R with a DigestInfo around it, as RFC 2409 §5.1 does not have it but some peers do.
func SignDigestInfo(key *rsa.PrivateKey, hash []byte) ([]byte, error) {
	digest, ok := HashOfSize(len(hash))
	if !ok {
		return nil, fmt.Errorf("keymat: sign HASH: %d octets are no digest", len(hash))
	}
	return rsa.SignPKCS1v15(nil, key, digest.crypto(), hash)
}

// VerifyDigestInfo checks a signature by SignDigestInfo. The error is ErrSignature.
func VerifyDigestInfo(key *rsa.PublicKey, hash, sig []byte) error {
	digest, ok := HashOfSize(len(hash))
	if !ok {
		return fmt.Errorf("%w: %d octets are no digest", ErrSignature, len(hash))
	}
	if err := rsa.VerifyPKCS1v15(key, digest.crypto(), hash, sig); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}
