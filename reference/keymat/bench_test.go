package keymat

import (
	"crypto"
	"crypto/elliptic"
	"strings"
	"testing"
)

func BenchmarkPRF(b *testing.B) {
	key, data := from(0, 32), from(0, 200)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		SHA256.PRF(key, data)
	}
}

func BenchmarkDerivePSK(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		toyKeys()
	}
}

func BenchmarkAppendEncryptCBC(b *testing.B) {
	key, iv, plain := from(0, 16), from(16, 16), make([]byte, 1024)
	dst := make([]byte, 0, len(plain))
	b.ReportAllocs()
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, err := AES.AppendEncryptCBC(dst, key, iv, plain); err != nil {
			b.Fatal(err)
		}
	}
}

// benchKeys are a key of each kind of signature, with its scheme.
func benchKeys(b *testing.B) map[string]crypto.Signer {
	b.Helper()
	return map[string]crypto.Signer{
		"RSA-2048": signer(b),
		"P-256":    curveKey(b, elliptic.P256(), strings.Repeat("5a", 32)),
		"P-521":    curveKey(b, elliptic.P521(), "01"+strings.Repeat("5a", 65)),
	}
}

func BenchmarkSignPush(b *testing.B) {
	for name, key := range benchKeys(b) {
		b.Run(name, func(b *testing.B) {
			digest := unhex(b, toyDigest)
			for b.Loop() {
				if _, err := plainScheme.Sign(key, digest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyPush(b *testing.B) {
	for name, key := range benchKeys(b) {
		b.Run(name, func(b *testing.B) {
			public, digest := key.Public(), unhex(b, toyDigest)
			sig, err := plainScheme.Sign(key, digest)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := plainScheme.Verify(public, digest, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParsePublicKey(b *testing.B) {
	der := spki(b, &signer(b).PublicKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePublicKey(der); err != nil {
			b.Fatal(err)
		}
	}
}
