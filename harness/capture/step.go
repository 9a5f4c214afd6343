package capture

import (
	"errors"
	"slices"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// maxNonces bounds the nonces of one side that are tried for one HASH.
const maxNonces = 8

var errNonce = errors.New("a nonce is unknown: the message that brought it is missing or stayed closed")

// judge says which of the four messages of a PULL this is and whether its HASH is right. Each side sends two of them: it
// is the one whose formula gives the HASH, and if neither does, the one whose turn it is. What it carries does not decide,
// since a peer may put any payload into any message.
func (s *stream) judge(o *opened, k phase1Keys, h isakmp.Header, initiator bool) (n int, err error) {
	n = s.turn(o, initiator)
	other := 6 - n
	if initiator {
		other = 4 - n
	}
	if err = s.hash(o, k, h, n); err != nil && s.hash(o, k, h, other) == nil {
		return other, nil
	}
	return n, err
}

// turn says which message is to be expected from that side by what came before, and by what it carries if that leaves
// it open.
func (s *stream) turn(o *opened, initiator bool) int {
	has := func(types ...isakmp.PayloadType) bool { return o != nil && o.has(types...) }
	switch {
	case initiator && (has(isakmp.PayloadNonce, isakmp.PayloadID) || s.came == [5]bool{}):
		return 1
	case initiator:
		return 3
	case s.came[3], has(isakmp.PayloadKD, isakmp.PayloadSEQ) && !has(isakmp.PayloadNonce, isakmp.PayloadSA):
		return 4
	}
	return 2
}

// hash checks HASH(n) of a PULL (RFC 6407 §3.2) with every nonce that may have been meant. The error is errNonce if none
// is known.
//
//	HASH(1) = prf(SKEYID_a, M-ID | after)         HASH(2) = prf(SKEYID_a, M-ID | Ni_b | after)
//	HASH(3), HASH(4) = prf(SKEYID_a, M-ID | Ni_b | Nr_b | after)
func (s *stream) hash(o *opened, k phase1Keys, h isakmp.Header, n int) error {
	ni, nr := s.ni, s.nr
	if n < 3 {
		nr = [][]byte{nil}
	}
	if n < 2 {
		ni = [][]byte{nil}
	}
	err := errNonce
	for _, i := range ni {
		for _, r := range nr {
			if err = compareHash(o, k, messageID(h), i, r, o.after(1)); err == nil {
				return nil
			}
		}
	}
	return err
}

// keep remembers the nonce of message n for those that follow it.
func (s *stream) keep(o *opened, n int, good bool) {
	nonce, _, found := isakmp.Find[isakmp.Nonce](o.payloads)
	switch {
	case !found:
	case n == 1:
		s.ni = keepNonce(s.ni, nonce.Data, good)
	case n == 2:
		s.nr = keepNonce(s.nr, nonce.Data, good)
	}
}

func keepNonce(known [][]byte, nonce []byte, good bool) [][]byte {
	switch {
	case slices.ContainsFunc(known, func(have []byte) bool { return string(have) == string(nonce) }):
		return known
	case good:
		known = slices.Insert(known, 0, nonce)
	default:
		known = append(known, nonce)
	}
	return known[:min(len(known), maxNonces)]
}
