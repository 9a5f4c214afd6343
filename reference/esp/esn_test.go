package esp

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

const cycle = 1 << 32

// The cases of RFC 4303 appendix A2, with a window of 64.
func TestExtend(t *testing.T) {
	for _, c := range []struct {
		name string
		top  uint64
		low  uint32
		want uint64
	}{
		{"A: above the window", 5*cycle + 1000, 1001, 5*cycle + 1001},
		{"A: far above", 5*cycle + 1000, math.MaxUint32, 5*cycle + math.MaxUint32},
		{"A: the window's bottom", 5*cycle + 1000, 937, 5*cycle + 937},
		{"A: below it, of the next cycle", 5*cycle + 1000, 936, 6*cycle + 936},
		{"A: the window fills from the first number", 5*cycle + 63, 0, 5 * cycle},
		{"A: the end of a cycle", 5*cycle + math.MaxUint32, 0, 6 * cycle},
		{"A: the bottom at the end of a cycle", 5*cycle + math.MaxUint32, math.MaxUint32 - 63, 5*cycle + math.MaxUint32 - 63},
		{"B: above", 5*cycle + 10, 11, 5*cycle + 11},
		{"B: inside, this cycle", 5*cycle + 10, 0, 5 * cycle},
		{"B: inside, the cycle before", 5*cycle + 10, math.MaxUint32, 4*cycle + math.MaxUint32},
		{"B: the window's bottom", 5*cycle + 10, 10 - 63 + math.MaxUint32 + 1, 5*cycle - 53},
		{"B: below it, far above in this cycle", 5*cycle + 10, 10 - 64 + math.MaxUint32 + 1, 6*cycle - 54},
		{"the first packet", 0, 1, 1},
		{"before the first packet", 0, math.MaxUint32, math.MaxUint32},
		{"beyond the last number", math.MaxUint64, 5, 5},
	} {
		var w Window
		w.Mark(c.top)
		if got := w.Extend(c.low); got != c.want {
			t.Errorf("%s: top %#x, received %#x: %#x, want %#x", c.name, c.top, c.low, got, c.want)
		}
	}
}

// Around each number of 64 bits the window finds it from its lower half.
func TestExtendNearTheTop(t *testing.T) {
	for _, top := range []uint64{64, 5000, cycle - 1, cycle, cycle + 10, cycle + 63, 7*cycle + 100, math.MaxUint64 - 2000} {
		w := NewWindow(128)
		w.Mark(top)
		for n := max(top, 127) - 127; n < top+1000; n++ {
			if got := w.Extend(uint32(n)); got != n {
				t.Fatalf("top %#x: %#x was taken for %#x", top, n, got)
			}
		}
	}
}

// A sender and a receiver go on across the end of a cycle, in every transform, also out of order.
func TestAcrossTheCycle(t *testing.T) {
	for _, transform := range policy.Transforms() {
		transform.ESN = true
		c := sampleOf(transform)
		c.o.First = cycle - 3
		sender, receiver := mustNew(t, c.sa, c.o), mustNew(t, c.sa, c.o)
		var packets [][]byte
		for range 8 {
			packets = append(packets, mustSeal(t, sender, "data"))
		}
		if got := binary.BigEndian.Uint32(packets[3][4:]); got != 0 {
			t.Errorf("%s: the number after the cycle is sent as %d", c.name, got)
		}
		for _, i := range []int{0, 4, 1, 3, 2, 7, 6, 5} {
			_, _, err := receiver.Open(nil, packets[i])
			wantViolation(t, err, nil)
			_, _, err = receiver.Open(nil, packets[i])
			wantViolation(t, err, guardReplay)
		}
	}
}

// The lower half alone is no number: a packet of the cycle before is not taken for one of this.
func TestPacketOfAnotherCycle(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	old := mustSeal(t, mustNew(t, c.sa, c.o), "old")
	c.o.First = cycle + 1000
	receiver := mustNew(t, c.sa, c.o)
	_, _, err := receiver.Open(nil, old)
	wantViolation(t, err, guardTag)
	_, _, err = receiver.Open(nil, mustSeal(t, mustNew(t, c.sa, c.o), "new"))
	wantViolation(t, err, nil)
	if got, _, err := receiver.Read(nil, old, 0); err != nil || string(got) != "old" {
		t.Errorf("somebody who watches and knows the number reads %q, %v", got, err)
	}
	if _, _, err := receiver.Read(nil, old, 1); err == nil {
		t.Error("the packet was read with another upper half")
	}
	if _, _, err := receiver.Read(nil, old[:10], 0); err == nil {
		t.Error("the beginning of a packet was read")
	}
}

func TestMutantThatKeepsTheUpperHalf(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	c.o.First = cycle - 1
	sender, mutant := mustNew(t, c.sa, c.o), mustNew(t, c.sa, withRules(c.o, switches(t, "esp.open.high", "broken")))
	_, _, err := mutant.Open(nil, mustSeal(t, sender, "last of a cycle"))
	wantViolation(t, err, nil)
	_, _, err = mutant.Open(nil, mustSeal(t, sender, "first of the next"))
	wantViolation(t, err, guardWindow)
}

func TestExtendedNumbersEnd(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	c.o.First = math.MaxUint64 - 1
	s, receiver := mustNew(t, c.sa, c.o), mustNew(t, c.sa, c.o)
	for range 2 {
		_, _, err := receiver.Open(nil, mustSeal(t, s, "data"))
		wantViolation(t, err, nil)
	}
	_, err := s.Seal(nil, nil, NextIPv4)
	if !errors.Is(err, ErrExhausted) {
		t.Errorf("after the last number: %v", err)
	}
	wantViolation(t, err, guardCycle)
	mutant := mustNew(t, c.sa, withRules(c.o, switches(t, "esp.seal.cycle", "off")))
	for range 4 {
		mustSeal(t, mutant, "goes on")
	}
}
