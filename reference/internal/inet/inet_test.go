package inet

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// plain is the sum as RFC 1071 §1 describes it.
func plain(b []byte) (s uint32) {
	for ; len(b) >= 2; b = b[2:] {
		s = uint32(Fold(s + uint32(binary.BigEndian.Uint16(b))))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func TestSumIsThatOfTheWords(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	octets := make([]byte, 1500)
	for i := range octets {
		octets[i] = byte(random.Uint32())
		if i > 700 {
			octets[i] = 0xff // everything is carried
		}
	}
	for n := range len(octets) {
		for _, b := range [][]byte{octets[:n], octets[len(octets)-n:]} {
			if got, want := Fold(Sum(b)), Fold(plain(b)); got != want {
				t.Fatalf("%d octets: %04x instead of %04x", n, got, want)
			}
		}
	}
}

func TestRightChecksumSumsToNothing(t *testing.T) {
	// RFC 1071 §3
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0, 0}
	if got := Fold(Sum(b)); got != 0xddf2 {
		t.Errorf("the sum is %04x", got)
	}
	binary.BigEndian.PutUint16(b[8:], Checksum(b))
	if Checksum(b) != 0 {
		t.Error("a right checksum is not taken for one")
	}
}

func TestPseudoHeader(t *testing.T) {
	v4 := make([]byte, 20)
	v4[0], v4[15], v4[19] = 0x45, 1, 2
	v6 := make([]byte, 40)
	v6[0], v6[23], v6[39] = 0x60, 3, 4
	if got := Pseudo(v4, 17, 100); got != 1+2+17+100 {
		t.Errorf("IPv4: %d", got)
	}
	if got := Pseudo(v6, 6, 200); got != 3+4+6+200 {
		t.Errorf("IPv6: %d", got)
	}
}

func BenchmarkSum1400(b *testing.B) {
	octets := make([]byte, 1400)
	b.SetBytes(int64(len(octets)))
	for b.Loop() {
		Sum(octets)
	}
}
