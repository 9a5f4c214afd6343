package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

// The benchmarks run the bare primitives and the SA in turns, so that both see the same machine, and report the SA's time
// as a multiple of the primitives': "x-bare". Of each the fastest turn counts: what else runs on the machine can only
// make a turn slower.

const turn = 32 // packets

// compare runs bare and whole in turns and reports both.
func compare(b *testing.B, bare, whole func()) {
	b.ReportAllocs()
	fastest := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		for i, run := range [2]func(){bare, whole} {
			start := time.Now()
			for range turn {
				run()
			}
			fastest[i] = min(fastest[i], time.Since(start))
		}
	}
	b.ReportMetric(float64(fastest[1])/float64(fastest[0]), "x-bare")
	b.ReportMetric(float64(fastest[0].Nanoseconds())/turn, "ns/bare")
	b.ReportMetric(float64(fastest[1].Nanoseconds())/turn, "ns/packet")
}

var packetSizes = []int{64, 512, 1400}

func BenchmarkSealGCM(b *testing.B) {
	for _, n := range packetSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, payload := mustNew(b, gcmSA(), suites[0].o), make([]byte, n)
			aead, nonce, aad := bareGCM(b), make([]byte, 12), make([]byte, 8)
			buf, bare := make([]byte, 0, 2048), make([]byte, 0, 2048)
			compare(b, func() {
				bare = aead.Seal(bare[:0], nonce, payload, aad)
			}, func() {
				var err error
				if buf, err = s.Seal(buf[:0], payload, NextIPv4); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkOpenGCM(b *testing.B) {
	for _, n := range packetSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sender := mustNew(b, gcmSA(), suites[0].o)
			packet := mustSeal(b, sender, string(make([]byte, n)))
			receiver := mustNew(b, gcmSA(), Options{})
			aead, nonce, aad := bareGCM(b), make([]byte, 12), make([]byte, 8)
			sealed := aead.Seal(nil, nonce, make([]byte, n), aad)
			buf, bare := make([]byte, 0, 2048), make([]byte, 0, 2048)
			compare(b, func() {
				var err error
				if bare, err = aead.Open(bare[:0], nonce, sealed, aad); err != nil {
					b.Fatal(err)
				}
			}, func() {
				var err error
				if buf, _, err = receiver.Open(buf[:0], packet); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkSealCBC(b *testing.B) {
	for _, n := range packetSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, payload := mustNew(b, cbcSA(), suites[1].o), make([]byte, n)
			bare := bareCBC(b, n)
			buf := make([]byte, 0, 2048)
			compare(b, bare, func() {
				var err error
				if buf, err = s.Seal(buf[:0], payload, NextIPv4); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkOpenCBC(b *testing.B) {
	for _, n := range packetSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			packet := mustSeal(b, mustNew(b, cbcSA(), suites[1].o), string(make([]byte, n)))
			receiver := mustNew(b, cbcSA(), Options{Rand: constant(1)})
			buf := make([]byte, 0, 2048)
			compare(b, bareCBC(b, n), func() {
				var err error
				if buf, _, err = receiver.Open(buf[:0], packet); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func bareGCM(b *testing.B) cipher.AEAD {
	block, err := aes.NewCipher(gcmSA().CipherKey[:16])
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}

// bareCBC encrypts, which is the slower direction, and authenticates as many octets as a packet of n has.
func bareCBC(b *testing.B, n int) func() {
	block, err := aes.NewCipher(cbcSA().CipherKey)
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, (n+2+15)/16*16)
	packet := make([]byte, 24+len(body))
	mode, mac, sum := cipher.NewCBCEncrypter(block, make([]byte, 16)), hmac.New(sha256.New, cbcSA().IntegrityKey), make([]byte, 0, 32)
	return func() {
		mode.CryptBlocks(body, body)
		mac.Reset()
		mac.Write(packet)
		sum = mac.Sum(sum[:0])
	}
}

// Nothing is allocated for a packet that is in order.
func TestNoAllocations(t *testing.T) {
	for _, c := range suites {
		sender, receiver := mustNew(t, c.sa, c.o), mustNew(t, c.sa, c.o)
		payload, packet, back := make([]byte, 1400), make([]byte, 0, 2048), make([]byte, 0, 2048)
		if n := testing.AllocsPerRun(100, func() {
			packet, _ = sender.Seal(packet[:0], payload, NextIPv4)
			back, _, _ = receiver.Open(back[:0], packet)
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		if len(back) != len(payload) {
			t.Errorf("%s: %d octets came back", c.name, len(back))
		}
	}
}
