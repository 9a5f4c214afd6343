package esp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// constant is a source of the same octet for ever.
type constant byte

func (c constant) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func gcmSA() policy.TrafficSA {
	return policy.TrafficSA{
		SPI:       0x1001,
		Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128},
		CipherKey: []byte("0123456789abcdefSALT"),
	}
}

func cbcSA() policy.TrafficSA {
	return policy.TrafficSA{
		SPI:          0x2002,
		Transform:    policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256},
		CipherKey:    []byte("0123456789abcdef"),
		IntegrityKey: []byte("0123456789abcdef0123456789abcdef"),
	}
}

// sample is an SA of one transform and what this sender needs to use it.
type sample struct {
	name string
	sa   policy.TrafficSA
	o    Options
}

// The two of which most tests speak: a combined mode and one with an HMAC beside it.
var (
	ofGCM = sample{"gcm", gcmSA(), Options{HasSID: true, SID: 0x5a, SIDBits: 8, Window: 64}}
	ofCBC = sample{"cbc", cbcSA(), Options{Rand: constant(7), Window: 64}}
)

// suites are one SA of each transform, without and with extended sequence numbers.
func suites() (all []sample) {
	for _, esn := range []bool{false, true} {
		for _, t := range policy.Transforms() {
			t.ESN = esn
			all = append(all, sampleOf(t))
		}
	}
	return all
}

// sampleOf makes an SA whose keys are pieces of one text.
func sampleOf(t policy.Transform) sample {
	const text = "0123456789abcdefGHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz!?*+-,.:"
	return sample{t.Name() + map[bool]string{true: "-esn"}[t.ESN], policy.TrafficSA{SPI: 0x1001, Transform: t,
		CipherKey: []byte(text[:t.CipherKeyLen()]), IntegrityKey: []byte(text[:t.IntegrityKeyLen()])},
		Options{HasSID: true, SID: 0x5a, SIDBits: 8, Rand: constant(7), Window: 64}}
}

// authenticity is the guard that refuses a forged packet.
func (c sample) authenticity() *rule.Guard {
	if c.sa.Transform.Integrity == policy.IntegrityNone {
		return guardTag
	}
	return guardICV
}

func mustNew(t testing.TB, sa policy.TrafficSA, o Options) *SA {
	t.Helper()
	s, err := New(sa, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t testing.TB, s *SA, payload string) []byte {
	t.Helper()
	packet, err := s.Seal(nil, []byte(payload), NextIPv4)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// switches alters guards: name, mutation, name, mutation ...
func switches(t testing.TB, pairs ...string) *rule.Switches {
	t.Helper()
	s := new(rule.Switches)
	for i := 0; i < len(pairs); i += 2 {
		if err := s.Set(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// wantViolation expects that err is a violation of the guard, or nil if the guard is nil.
func wantViolation(t testing.TB, err error, g *rule.Guard) {
	t.Helper()
	var v *rule.Violation
	switch {
	case g == nil && err != nil:
		t.Errorf("error %v, want none", err)
	case g != nil && !errors.As(err, &v):
		t.Errorf("error %v, want a violation of %v", err, g)
	case g != nil && v.Guard != g:
		t.Errorf("violation of %v (%v), want of %v", v.Guard, v, g)
	}
}

func TestRoundTripEveryLength(t *testing.T) {
	for _, c := range suites() {
		t.Run(c.name, func(t *testing.T) {
			sender, receiver := mustNew(t, c.sa, c.o), mustNew(t, c.sa, c.o)
			prefix := []byte("prefix")
			for n := range 200 {
				payload := bytes.Repeat([]byte{byte(n)}, n)
				packet, err := sender.Seal(prefix, payload, NextIPv4)
				if err != nil || !bytes.HasPrefix(packet, prefix) {
					t.Fatalf("%d octets: %v", n, err)
				}
				packet = packet[len(prefix):]
				if len(packet) != n+sender.Overhead(n) {
					t.Errorf("%d octets: packet has %d, Overhead says %d", n, len(packet), n+sender.Overhead(n))
				}
				if seq := binary.BigEndian.Uint32(packet[4:]); seq != uint32(n+1) {
					t.Errorf("sequence %d, want %d", seq, n+1)
				}
				got, next, err := receiver.Open(prefix, packet)
				if err != nil || next != NextIPv4 || !bytes.Equal(got, append([]byte("prefix"), payload...)) {
					t.Errorf("%d octets came back as %q, %d, %v", n, got, next, err)
				}
			}
		})
	}
}

// The overhead without an outer header is 34 to 37 octets for GCM with 16, 42 to 57 for AES-CBC with HMAC-SHA-256-128.
func TestMaxPayloadIsTight(t *testing.T) {
	for _, c := range suites() {
		s := mustNew(t, c.sa, c.o)
		for limit := 100; limit < 1600; limit++ {
			n := s.MaxPayload(limit)
			if n+s.Overhead(n) > limit || n+1+s.Overhead(n+1) <= limit {
				t.Errorf("%s: limit %d: a payload of %d makes %d, one more makes %d", c.name, limit, n,
					n+s.Overhead(n), n+1+s.Overhead(n+1))
			}
		}
		for limit := range s.Overhead(0) {
			if n := s.MaxPayload(limit); n >= 0 {
				t.Errorf("%s: limit %d: MaxPayload %d", c.name, limit, n)
			}
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for _, c := range suites() {
		s := mustNew(t, c.sa, c.o)
		packet := mustSeal(t, s, "twenty octets of data")
		for n := range packet {
			if out, _, err := s.Open([]byte("x"), packet[:n]); err == nil || string(out) != "x" {
				t.Errorf("%s: %d of %d octets were accepted: %q", c.name, n, len(packet), out)
			}
		}
		if _, _, err := s.Open(nil, packet); err != nil {
			t.Errorf("%s: the whole packet was refused: %v", c.name, err)
		}
	}
}

func TestEveryOctetIsAuthenticated(t *testing.T) {
	for _, c := range suites() {
		s := mustNew(t, c.sa, c.o)
		packet := mustSeal(t, s, "some payload")
		for i := range packet {
			forged := bytes.Clone(packet)
			forged[i] ^= 0x10
			_, _, err := s.Open(nil, forged)
			wantViolation(t, err, c.authenticity())
		}
	}
}

func TestForgeryDoesNotMoveTheWindow(t *testing.T) {
	for _, c := range suites() {
		s := mustNew(t, c.sa, c.o)
		packet := mustSeal(t, s, "data")
		forged := bytes.Clone(packet)
		binary.BigEndian.PutUint32(forged[4:], 1_000_000)
		if _, _, err := s.Open(nil, forged); err == nil {
			t.Fatal("a forged packet was accepted")
		}
		_, _, err := s.Open(nil, packet)
		wantViolation(t, err, nil)

		mutant := mustNew(t, c.sa, withRules(c.o, switches(t, "esp.open.mark", "broken")))
		_, _, _ = mutant.Open(nil, forged)
		_, _, err = mutant.Open(nil, packet)
		want := guardWindow
		if c.sa.Transform.ESN { // the old packet counts as one of the next cycle
			want = c.authenticity()
		}
		wantViolation(t, err, want)
	}
}

func withRules(o Options, r *rule.Switches) Options {
	o.Rules = r
	return o
}

func TestReplayAndWindow(t *testing.T) {
	open := func(o Options, sequences ...uint64) (errs []error) {
		sender := mustNew(t, gcmSA(), Options{HasSID: true, SID: 1, SIDBits: 8})
		receiver := mustNew(t, gcmSA(), o)
		for _, n := range sequences {
			sender.sent = n - 1
			_, _, err := receiver.Open(nil, mustSeal(t, sender, "data"))
			errs = append(errs, err)
		}
		return errs
	}
	on, off := ofGCM.o, ofGCM.o
	off.Window = 0
	for _, c := range []struct {
		name      string
		o         Options
		sequences []uint64
		last      *rule.Guard // what the last packet breaks
	}{
		{"in order", on, []uint64{1, 2, 3}, nil},
		{"out of order", on, []uint64{3, 1, 2}, nil},
		{"duplicate", on, []uint64{1, 2, 1}, guardReplay},
		{"sequence 0", on, []uint64{1 << 32}, guardReplay},
		{"left edge", on, []uint64{100, 37}, nil},
		{"beyond the left edge", on, []uint64{100, 36}, guardWindow},
		{"duplicate, window off", off, []uint64{1, 1}, nil},
		{"sequence 0, window off", off, []uint64{1 << 32}, nil},
		{"mutant: replay off", withRules(on, switches(t, "esp.open.replay", "off")), []uint64{1, 1}, nil},
		{"mutant: window off", withRules(on, switches(t, "esp.open.window", "off")), []uint64{100, 1}, nil},
		{"mutant: window up", withRules(on, switches(t, "esp.open.window", "up")), []uint64{100, 37}, guardWindow},
		{"mutant: window down", withRules(on, switches(t, "esp.open.window", "down")), []uint64{100, 36, 36}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			errs := open(c.o, c.sequences...)
			for _, err := range errs[:len(errs)-1] {
				wantViolation(t, err, nil)
			}
			wantViolation(t, errs[len(errs)-1], c.last)
		})
	}
}

func TestSequenceNumbersEnd(t *testing.T) {
	on := mustNew(t, gcmSA(), ofGCM.o)
	on.sent = math.MaxUint32 - 1
	if seq := binary.BigEndian.Uint32(mustSeal(t, on, "last")[4:]); seq != math.MaxUint32 {
		t.Errorf("last sequence number %d", seq)
	}
	for range 2 {
		out, err := on.Seal([]byte("x"), nil, NextIPv4)
		if !errors.Is(err, ErrExhausted) || string(out) != "x" {
			t.Errorf("after the last number: %q, %v", out, err)
		}
		wantViolation(t, err, guardCycle)
	}
	o := ofGCM.o
	o.Window = 0
	off := mustNew(t, gcmSA(), o)
	off.sent = math.MaxUint32
	if seq := binary.BigEndian.Uint32(mustSeal(t, off, "goes on")[4:]); seq != 0 {
		t.Errorf("without anti-replay the number after the last is %d, want 0", seq)
	}
}

func TestNewRefuses(t *testing.T) {
	gcm, cbc := gcmSA(), cbcSA()
	for name, alter := range map[string]func(*policy.TrafficSA, *Options){
		"key length":         func(t *policy.TrafficSA, _ *Options) { t.Transform.KeyBits = 64 },
		"no salt":            func(t *policy.TrafficSA, _ *Options) { t.CipherKey = t.CipherKey[:16] },
		"integrity with GCM": func(t *policy.TrafficSA, _ *Options) { t.Transform.Integrity = policy.IntegrityHMACSHA256 },
		"integrity key, GCM": func(t *policy.TrafficSA, _ *Options) { t.IntegrityKey = []byte("key") },
		"unknown cipher":     func(t *policy.TrafficSA, _ *Options) { t.Transform.Cipher = 4 },
		"SID too large":      func(_ *policy.TrafficSA, o *Options) { o.SID = 256 },
		"SID of no bits":     func(_ *policy.TrafficSA, o *Options) { o.SIDBits = 0 },
		"SID of all bits":    func(_ *policy.TrafficSA, o *Options) { o.SIDBits = 64 },
		"CBC, no integrity":  func(t *policy.TrafficSA, _ *Options) { *t = cbc; t.Transform.Integrity = 0 },
		"CBC, short MAC key": func(t *policy.TrafficSA, _ *Options) { *t = cbc; t.IntegrityKey = cbc.IntegrityKey[:20] },
		"CBC, wrong key":     func(t *policy.TrafficSA, _ *Options) { *t = cbc; t.CipherKey = gcm.CipherKey },
		"CBC, no randomness": func(t *policy.TrafficSA, o *Options) { *t = cbc; o.Rand = nil },
	} {
		sa, o := gcm, Options{HasSID: true, SID: 1, SIDBits: 8, Rand: constant(1)}
		alter(&sa, &o)
		if _, err := New(sa, o); !errors.Is(err, ErrTransform) && !errors.Is(err, ErrSID) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range suites() {
		for _, alter := range []func(*policy.TrafficSA){
			func(t *policy.TrafficSA) { t.CipherKey = append(t.CipherKey, 0) },
			func(t *policy.TrafficSA) { t.IntegrityKey = append(t.IntegrityKey, 0) },
		} {
			sa := c.sa
			alter(&sa)
			if _, err := New(sa, c.o); !errors.Is(err, ErrTransform) {
				t.Errorf("%s with keys of %d and %d octets: %v", c.name, len(sa.CipherKey), len(sa.IntegrityKey), err)
			}
		}
		c.o.Window = 0
		if _, err := New(c.sa, c.o); errors.Is(err, ErrNoWindow) != c.sa.Transform.ESN {
			t.Errorf("%s without a window: %v", c.name, err)
		}
	}
}

func TestRandomIVs(t *testing.T) {
	failing := errors.New("nothing left")
	s := mustNew(t, cbcSA(), Options{Rand: io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("abcdefgh"), 4)), failingReader{failing})})
	if packet := mustSeal(t, s, "1"); string(packet[8:24]) != "abcdefghabcdefgh" {
		t.Errorf("IV %q is not what the source gave", packet[8:24])
	}
	mustSeal(t, s, "2")
	if _, err := s.Seal(nil, []byte("3"), NextIPv4); !errors.Is(err, failing) || s.sent != 2 {
		t.Errorf("without randomness: %v, %d packets counted", err, s.sent)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// A mutant of each sender's duty differs from the correct sender in the octets that the duty is about.
func TestNeglectedDuties(t *testing.T) {
	second := func(c sample, rules *rule.Switches) []byte {
		s := mustNew(t, c.sa, withRules(c.o, rules))
		mustSeal(t, s, "first")
		return mustSeal(t, s, "second")
	}
	of := func(c policy.Cipher, a policy.Integrity, bits int) sample {
		return sampleOf(policy.Transform{Cipher: c, Integrity: a, KeyBits: bits})
	}
	tripleDES, gmac := of(policy.Cipher3DES, policy.IntegrityHMACSHA1, 0), of(policy.CipherGMAC, 0, 128)
	for _, c := range []struct {
		guard    string
		sample   sample
		from, to int
		want     string // hexadecimal, of these octets
	}{
		{"esp.seal.first", ofGCM, 4, 8, "00000001"},
		{"esp.seal.sequence", ofGCM, 4, 8, "00000001"},
		{"esp.seal.leftmost", ofGCM, 8, 16, "000000000000015a"},
		{"esp.seal.ssiv", ofGCM, 8, 16, "5a00000000000000"},
		{"esp.seal.iv", ofCBC, 8, 24, "00000000000000000000000000000002"},
		{"esp.seal.iv3des", tripleDES, 8, 16, "0000000000000002"},
	} {
		got := second(c.sample, switches(t, c.guard, "broken"))
		if !bytes.Equal(got[c.from:c.to], unhex(t, c.want)) {
			t.Errorf("%s: %x, want %s", c.guard, got[c.from:c.to], c.want)
		}
		if bytes.Equal(second(c.sample, nil)[c.from:c.to], got[c.from:c.to]) {
			t.Errorf("%s: the mutant does as it should", c.guard)
		}
	}
	for _, c := range []struct {
		guard  string
		sample sample
	}{
		{"esp.seal.icv", ofCBC},
		{"esp.seal.icv", of(policy.CipherNULL, policy.IntegrityHMACSHA384, 0)},
		{"esp.seal.icv", of(policy.CipherAESCBC, policy.IntegrityHMACSHA512, 256)},
		{"esp.seal.icvsha1", tripleDES},
		{"esp.seal.icvgcm", ofGCM},
		{"esp.seal.icvgcm", of(policy.CipherAESGCM12, 0, 128)},
		{"esp.seal.icvgcm", of(policy.CipherAESGCM8, 0, 128)},
		{"esp.seal.icvgmac", gmac},
	} {
		if n := len(second(c.sample, switches(t, c.guard, "broken"))); n != len(second(c.sample, nil))-shorter {
			t.Errorf("%s: %d octets", c.guard, n)
		}
	}
	for guard, c := range map[string]sample{"esp.seal.aad": ofGCM, "esp.seal.gmac": gmac, "esp.seal.esn": ofGCM} {
		_, _, err := mustNew(t, c.sa, c.o).Open(nil, second(c, switches(t, guard, "broken")))
		wantViolation(t, err, guardTag)
	}
	for _, c := range suites() {
		_, _, err := mustNew(t, c.sa, c.o).Open(nil, second(c, switches(t, "esp.seal.padding", "broken")))
		if c.sa.Transform.CounterMode() || c.sa.Transform.Cipher == policy.CipherNULL { // "second" needs no padding there
			continue
		}
		if c.sa.Transform.Cipher == policy.Cipher3DES { // nor there
			continue
		}
		wantViolation(t, err, guardPadding)
	}
}

func TestMutantsThatDoNotVerify(t *testing.T) {
	for _, c := range suites() {
		s := mustNew(t, c.sa, withRules(c.o, switches(t, c.authenticity().Name, "off")))
		packet := mustSeal(t, s, "data")
		packet[len(packet)-1] ^= 1
		got, next, err := s.Open(nil, packet)
		if err != nil || string(got) != "data" || next != NextIPv4 {
			t.Errorf("%s: %q, %d, %v", c.name, got, next, err)
		}
	}
}

func TestPadding(t *testing.T) {
	for _, c := range []struct {
		name    string
		trailer string // what follows the payload "data"
		ok      bool
		mutant  string // payload for the mutant that does not check
	}{
		{"least", "01020204", true, "data"},
		{"none", "0004", true, "da"},
		{"more than needed", "0102030405060604", true, "data"},
		{"zeros", "00000204", false, "data"},
		{"longer than the packet", "0102ff04", false, ""},
		{"just too long", "01020904", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := append([]byte("data"), unhex(t, c.trailer)...)
			if c.name == "none" {
				body = append([]byte("da"), unhex(t, c.trailer)...)
			}
			packet := sealRaw(t, body)
			s := mustNew(t, gcmSA(), ofGCM.o)
			got, _, err := s.Open(nil, packet)
			if c.ok {
				wantViolation(t, err, nil)
				if string(got) != c.mutant {
					t.Errorf("payload %q", got)
				}
			} else {
				wantViolation(t, err, guardPadding)
			}
			s = mustNew(t, gcmSA(), withRules(ofGCM.o, switches(t, "esp.open.padding", "off")))
			if got, _, err = s.Open(nil, packet); err != nil || string(got) != c.mutant {
				t.Errorf("mutant: %q, %v; want %q", got, err, c.mutant)
			}
		})
	}
}

// sealRaw makes a GCM packet of gcmSA around a body that has its trailer already.
func sealRaw(t *testing.T, body []byte) []byte {
	t.Helper()
	s := mustNew(t, gcmSA(), ofGCM.o)
	packet := make([]byte, 16+len(body)+16)
	binary.BigEndian.PutUint32(packet, 0x1001)
	binary.BigEndian.PutUint32(packet[4:], 1)
	copy(packet[16:], body)
	s.suite.seal(packet, 0, 0)
	return packet
}

func FuzzOpen(f *testing.F) {
	all := suites()
	for i, c := range all {
		f.Add(uint8(i), mustSeal(f, mustNew(f, c.sa, c.o), "seed"))
	}
	f.Fuzz(func(t *testing.T, which uint8, packet []byte) {
		c := all[int(which)%len(all)]
		off := c.authenticity().Name
		for _, rules := range []*rule.Switches{nil, switches(t, off, "off"), switches(t, off, "off", "esp.open.padding", "off")} {
			s := mustNew(t, c.sa, withRules(c.o, rules))
			got, _, err := s.Open(nil, packet)
			if err != nil && len(got) != 0 || len(got) > len(packet) {
				t.Errorf("%s: %d octets from %d, %v", c.name, len(got), len(packet), err)
			}
		}
	})
}
