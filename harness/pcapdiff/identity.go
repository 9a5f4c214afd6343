package pcapdiff

import "strings"

// identities knows which identifier of A stands for which of B: the ones that first met in the same place. From then on they
// have to meet again wherever either of them stands.
type identities struct{ toB, toA map[string]string }

func newIdentities() *identities {
	return &identities{toB: make(map[string]string), toA: make(map[string]string)}
}

// meet reports whether the two may stand in the same place. Zeros stand for none, or for all, and only for themselves.
func (ids *identities) meet(a, b string) bool {
	zeroA, zeroB := isZero(a), isZero(b)
	if zeroA || zeroB {
		return zeroA == zeroB && len(a) == len(b)
	}
	if !ids.agree(a, b) {
		return false
	}
	ids.toB[a], ids.toA[b] = b, a
	return len(a) == len(b)
}

// agree reports whether neither of the two stands for another one.
func (ids *identities) agree(a, b string) bool {
	knownB, okA := ids.toB[a]
	knownA, okB := ids.toA[b]
	return (!okA || knownB == b) && (!okB || knownA == a)
}

func isZero(s string) bool { return strings.Trim(s, "0") == "" }
