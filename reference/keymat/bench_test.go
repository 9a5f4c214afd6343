package keymat

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkNewKey(b *testing.B) {
	eachGroupAgainst14(b, func(b *testing.B, id uint16) func() {
		g, rand := group(b, id), Seeded("bench")
		return func() {
			if _, err := g.NewKey(rand); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkShared(b *testing.B) {
	eachGroupAgainst14(b, func(b *testing.B, id uint16) func() {
		k, peer := keyOf(b, id, Seeded("bench", "a")), keyOf(b, id, Seeded("bench", "b")).Public()
		return func() {
			if _, err := k.Shared(peer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// eachGroupAgainst14 measures an operation in every group, and how long it takes compared with group 14 in the same run.
func eachGroupAgainst14(b *testing.B, prepare func(b *testing.B, id uint16) func()) {
	for _, id := range groupIDs {
		b.Run(fmt.Sprintf("group-%d", id), func(b *testing.B) {
			usual, op := prepare(b, 14), prepare(b, id)
			op() // makes what the group needs once
			usual()
			b.ReportAllocs()
			for b.Loop() {
				op()
			}
			each := b.Elapsed() / time.Duration(b.N)
			const rounds = 50
			start := time.Now()
			for range rounds {
				usual()
			}
			b.ReportMetric(float64(each)/float64(time.Since(start)/rounds), "x-group-14")
		})
	}
}

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
