package esp

import (
	"math"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// slipped has a receiver see one packet and then lose so many cycles. It returns which of the packets that follow are taken.
func slipped(t *testing.T, sa policy.TrafficSA, o Options, cycles uint64, packets int) (taken []bool) {
	t.Helper()
	open := opener(t, sa, o)
	if err := open(1000); err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		taken = append(taken, open(cycles*cycle+2000+uint64(i)) == nil)
	}
	return taken
}

// opener makes a receiver, and returns what gives it a packet of a number.
func opener(t *testing.T, sa policy.TrafficSA, o Options) func(number uint64) error {
	t.Helper()
	if sa.Transform.Protocol == policy.ProtocolAH {
		return openerAH(t, sa.Transform, o)
	}
	receiver := mustNew(t, sa, o)
	return func(number uint64) error {
		from := o
		from.First, from.Rules = number, nil
		payload, _, err := receiver.Open([]byte("before "), mustSeal(t, mustNew(t, sa, from), "data"))
		if err == nil && string(payload) != "before data" || err != nil && string(payload) != "before " {
			t.Errorf("number %#x: %q, %v", number, payload, err)
		}
		return err
	}
}

func openerAH(t *testing.T, transform policy.Transform, o Options) func(number uint64) error {
	t.Helper()
	receiver, headers := ahSA(t, transform, o), unhex(t, ahHeaders["IPv4"])
	return func(number uint64) error {
		packet := sealAH(t, ahSA(t, transform, Options{Window: 64, First: number}), headers, "data", 17)
		payload, _, err := receiver.OpenPacket(nil, packet, len(headers))
		if err == nil && string(payload) != "data" {
			t.Errorf("number %#x: %q", number, payload)
		}
		return err
	}
}

// takenFrom returns the place of the first packet that was taken, or -1; after it all have to be.
func takenFrom(t *testing.T, taken []bool) int {
	t.Helper()
	first := -1
	for i, ok := range taken {
		if ok && first < 0 {
			first = i
		}
		if !ok && first >= 0 {
			t.Errorf("packet %d is lost again: %v", i, taken)
		}
	}
	return first
}

// The upper half is found again in every transform after as many failures as the configuration says, and within its bound.
func TestResync(t *testing.T) {
	transforms := append(policy.Transforms(), policy.AHTransforms()...)
	for _, transform := range transforms {
		transform.ESN = true
		c := sampleOf(transform)
		c.o.Resync = policy.Resync{Failures: 5, Cycles: 3}
		for cycles, want := range map[uint64]int{0: 0, 1: 4, 3: 4, 4: -1} {
			if got := takenFrom(t, slipped(t, c.sa, c.o, cycles, 12)); got != want {
				t.Errorf("%s: after %d cycles packet %d is the first to be taken, want %d", transform, cycles, got, want)
			}
		}
	}
}

func TestResyncMutants(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	c.o.Resync = policy.Resync{Failures: 5, Cycles: 3}
	for _, m := range []struct {
		guard, mutation string
		cycles          uint64
		want            int
	}{
		{"resync", "broken", 1, -1},
		{"resyncfailures", "up", 1, 5}, {"resyncfailures", "down", 1, 3}, {"resyncfailures", "off", 1, 0},
		{"resynccycles", "up", 4, 4}, {"resynccycles", "down", 3, -1}, {"resynccycles", "off", 900, 4}, {"resynccycles", "off", 2000, -1},
	} {
		if got := takenFrom(t, slipped(t, c.sa, withRules(c.o, switches(t, "esp.open."+m.guard, m.mutation)), m.cycles, 12)); got != m.want {
			t.Errorf("%s=%s: packet %d is the first to be taken, want %d", m.guard, m.mutation, got, m.want)
		}
	}
}

// Without a configuration there are bounds too.
func TestResyncByDefault(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	for cycles, want := range map[uint64]int{defaultResyncCycles: defaultResyncFailures - 1, defaultResyncCycles + 1: -1} {
		if got := takenFrom(t, slipped(t, c.sa, c.o, cycles, 2*defaultResyncFailures)); got != want {
			t.Errorf("after %d cycles packet %d is the first to be taken, want %d", cycles, got, want)
		}
	}
}

// A packet that is authentic begins the count anew: forged packets among honest ones lead to nothing.
func TestHonestPacketBeginsAnew(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	c.o.Resync = policy.Resync{Failures: 3, Cycles: 1}
	receiver, sender := mustNew(t, c.sa, c.o), mustNew(t, c.sa, c.o)
	far := c.o
	far.First = cycle + 1000
	ahead := mustSeal(t, mustNew(t, c.sa, far), "of the next cycle")
	for range 10 {
		_, _, err := receiver.Open(nil, mustSeal(t, sender, "honest"))
		wantViolation(t, err, nil)
		for range 2 {
			_, _, err = receiver.Open(nil, ahead)
			wantViolation(t, err, guardTag)
		}
	}
}

// There is nothing beyond the last upper half, and nothing to find without extended numbers.
func TestNothingAhead(t *testing.T) {
	c := sampleOf(policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, ESN: true})
	c.o.Resync = policy.Resync{Failures: 1, Cycles: 1000}
	last := c.o
	last.First = math.MaxUint64 - 1000
	receiver := mustNew(t, c.sa, last)
	forged := mustSeal(t, mustNew(t, c.sa, last), "data")
	forged[len(forged)-1] ^= 1
	_, _, err := receiver.Open(nil, forged)
	wantViolation(t, err, guardTag)

	c.sa.Transform.ESN = false
	receiver, forged = mustNew(t, c.sa, c.o), mustSeal(t, mustNew(t, c.sa, c.o), "data")
	forged[len(forged)-1] ^= 1
	_, _, err = receiver.Open(nil, forged)
	wantViolation(t, err, guardTag)
	if receiver.resync.failed != 0 {
		t.Errorf("%d packets are counted", receiver.resync.failed)
	}
}
