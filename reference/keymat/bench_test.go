package keymat

import "testing"

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

func BenchmarkSignPush(b *testing.B) {
	key, digest := signer(b), unhex(b, toyDigest)
	for b.Loop() {
		if _, err := SignPush(key, digest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPush(b *testing.B) {
	der, digest, sig := spki(b, &signer(b).PublicKey), unhex(b, toyDigest), unhex(b, signerSig)
	b.ReportAllocs()
	for b.Loop() {
		if err := VerifyPush(der, digest, sig); err != nil {
			b.Fatal(err)
		}
	}
}
