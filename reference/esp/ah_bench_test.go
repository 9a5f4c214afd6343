package esp

import (
	"crypto/hmac"
	"fmt"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// AH against the HMAC alone, over the octets that it covers.
func BenchmarkSealAH(b *testing.B) { byAH(b, benchmarkSealAH) }
func BenchmarkOpenAH(b *testing.B) { byAH(b, benchmarkOpenAH) }

func byAH(b *testing.B, run func(*testing.B, policy.Transform, int)) {
	for _, n := range packetSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, policy.AHTransforms()[0], n) })
	}
	for _, transform := range policy.AHTransforms() {
		b.Run(transform.Name()+"/1400", func(b *testing.B) { run(b, transform, 1400) })
	}
}

func benchmarkSealAH(b *testing.B, transform policy.Transform, n int) {
	a, headers, payload, buf := ahSA(b, transform, Options{Window: 64}), unhex(b, ahHeaders["IPv4"]), make([]byte, n), make([]byte, 0, 2048)
	compare(b, bareAH(transform, len(headers)+a.Overhead(n)+n), func() {
		var err error
		if buf, err = a.Seal(append(buf[:0], headers...), payload, 17); err != nil {
			b.Fatal(err)
		}
	})
}

func benchmarkOpenAH(b *testing.B, transform policy.Transform, n int) {
	headers, buf := unhex(b, ahHeaders["IPv4"]), make([]byte, 0, 2048)
	packet := sealAH(b, ahSA(b, transform, Options{Window: 64}), headers, string(make([]byte, n)), 17)
	receiver := ahSA(b, transform, Options{Window: 64})
	compare(b, bareAH(transform, len(packet)), func() {
		var err error
		receiver.window = Window{}
		if buf, _, err = receiver.OpenPacket(buf[:0], packet, len(headers)); err != nil {
			b.Fatal(err)
		}
	})
}

// bareAH is the HMAC of so many octets.
func bareAH(transform policy.Transform, octets int) func() {
	mac := hmac.New(integrities[transform.Integrity].hash, ahKey(transform.IntegrityKeyLen()))
	covered, sum := make([]byte, octets), make([]byte, 0, 64)
	return func() {
		mac.Reset()
		mac.Write(covered)
		sum = mac.Sum(sum[:0])
	}
}

// Nothing is allocated for a packet that is in order.
func TestNoAllocationsAH(t *testing.T) {
	for _, transform := range policy.AHTransforms() {
		sender, receiver, headers := ahSA(t, transform, Options{Window: 64}), ahSA(t, transform, Options{Window: 64}), unhex(t, ahHeaders["IPv6"])
		payload, packet, back := make([]byte, 1400), make([]byte, 0, 2048), make([]byte, 0, 2048)
		if n := testing.AllocsPerRun(100, func() {
			packet, _ = sender.Seal(append(packet[:0], headers...), payload, 17)
			back, _, _ = receiver.OpenPacket(back[:0], packet, len(headers))
		}); n != 0 || len(back) != len(payload) {
			t.Errorf("%s: %v allocations, %d octets came back", transform, n, len(back))
		}
	}
}
