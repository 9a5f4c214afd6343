package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"fmt"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// The benchmarks run the bare primitives and the SA in turns, so that both see the same machine, and report the SA's time
// as a multiple of the primitives': "x-bare". Of each the fastest turn counts: what else runs on the machine can only
// make a turn slower.

const (
	turn           = 32 // packets
	outerHeaderLen = 20 // a gateway seals behind the IP header that it has written
)

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

func BenchmarkSealGCM(b *testing.B) { bySize(b, ofGCM, benchmarkSeal) }
func BenchmarkOpenGCM(b *testing.B) { bySize(b, ofGCM, benchmarkOpen) }
func BenchmarkSealCBC(b *testing.B) { bySize(b, ofCBC, benchmarkSeal) }
func BenchmarkOpenCBC(b *testing.B) { bySize(b, ofCBC, benchmarkOpen) }

func bySize(b *testing.B, c sample, run func(*testing.B, sample, int)) {
	for _, n := range packetSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, c, n) })
	}
}

// Every kind of transform, with the shortest keys.
func BenchmarkSeal(b *testing.B) { byTransform(b, benchmarkSeal) }
func BenchmarkOpen(b *testing.B) { byTransform(b, benchmarkOpen) }

func byTransform(b *testing.B, run func(*testing.B, sample, int)) {
	for _, c := range suites() {
		t := c.sa.Transform
		if t.KeyBits <= 128 && (!t.ESN || t.CounterMode() || t.Integrity == policy.IntegrityHMACSHA256) {
			b.Run(c.name+"/1400", func(b *testing.B) { run(b, c, 1400) })
		}
	}
}

func benchmarkSeal(b *testing.B, c sample, n int) {
	s, payload, buf := mustNew(b, c.sa, c.o), make([]byte, n), make([]byte, outerHeaderLen, 2048)
	bare, _ := bareOf(b, c, n)
	compare(b, bare, func() {
		var err error
		if buf, err = s.Seal(buf[:outerHeaderLen], payload, NextIPv4); err != nil {
			b.Fatal(err)
		}
	})
}

// benchmarkOpen opens one packet over and over, as the first packet of the SA each time.
func benchmarkOpen(b *testing.B, c sample, n int) {
	packet, buf := mustSeal(b, mustNew(b, c.sa, c.o), string(make([]byte, n))), make([]byte, 0, 2048)
	receiver := mustNew(b, c.sa, c.o)
	_, bare := bareOf(b, c, n)
	compare(b, bare, func() {
		var err error
		receiver.window = Window{}
		if buf, _, err = receiver.Open(buf[:0], packet); err != nil {
			b.Fatal(err)
		}
	})
}

// bareOf is what the primitives alone do for a packet of n octets, to seal and to open it.
func bareOf(b *testing.B, c sample, n int) (seal, open func()) {
	if c.sa.Transform.CounterMode() {
		return bareCombined(b, c, n)
	}
	return bareSeparate(b, c, n)
}

func bareCombined(b *testing.B, c sample, n int) (seal, open func()) {
	block, err := aes.NewCipher(c.sa.CipherKey[:len(c.sa.CipherKey)-saltLen])
	if err != nil {
		b.Fatal(err)
	}
	icv := c.sa.Transform.ICVLen()
	aead, err := cipher.NewGCMWithTagSize(block, max(icv, leastTag))
	if err != nil {
		b.Fatal(err)
	}
	nonce, aad, plain := make([]byte, 12), make([]byte, 8), make([]byte, n)
	if c.sa.Transform.Cipher == policy.CipherGMAC {
		aad, plain = make([]byte, headerLen+ivLen+n), nil
	}
	sealed, buf := aead.Seal(nil, nonce, plain, aad), make([]byte, 0, 2048)
	seal = func() { buf = aead.Seal(buf[:0], nonce, plain, aad) }
	if icv < leastTag { // crypto/cipher opens no such packet: it takes two calls
		return seal, func() { seal(); seal() }
	}
	return seal, func() {
		if buf, err = aead.Open(buf[:0], nonce, sealed, aad); err != nil {
			b.Fatal(err)
		}
	}
}

func bareSeparate(b *testing.B, c sample, n int) (seal, open func()) {
	s := mustNew(b, c.sa, c.o)
	body := make([]byte, n+s.padLen(n)+trailerLen)
	packet := make([]byte, headerLen+s.sizes.iv+len(body))
	mac, sum := hmac.New(integrities[c.sa.Transform.Integrity].hash, c.sa.IntegrityKey), make([]byte, 0, 64)
	sign := func() {
		mac.Reset()
		mac.Write(packet)
		sum = mac.Sum(sum[:0])
	}
	make := map[policy.Cipher]func([]byte) (cipher.Block, error){policy.CipherAESCBC: aes.NewCipher,
		policy.Cipher3DES: des.NewTripleDESCipher}[c.sa.Transform.Cipher]
	if make == nil {
		return sign, sign
	}
	block, err := make(c.sa.CipherKey)
	if err != nil {
		b.Fatal(err)
	}
	iv := packet[:block.BlockSize()]
	enc, dec := cipher.NewCBCEncrypter(block, iv), cipher.NewCBCDecrypter(block, iv)
	return func() { enc.CryptBlocks(body, body); sign() }, func() { dec.CryptBlocks(body, body); sign() }
}

// Nothing is allocated for a packet that is in order.
func TestNoAllocations(t *testing.T) {
	for _, c := range suites() {
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
