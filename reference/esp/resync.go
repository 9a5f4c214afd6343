package esp

import (
	"math"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// A receiver that has lost 2^32 packets or more in a row finds a wrong upper half of its extended sequence numbers from then on, and
// nothing is authentic any more. RFC 4303 appendix A3 has it notice that by the packets in a row that are not, and then try higher
// upper halves. It does so for one packet out of many, so that whoever forges packets gains little by it.
const (
	defaultResyncFailures = 32
	defaultResyncCycles   = 4

	// mostCycles is where a mutant stops that knows no bound.
	mostCycles = 1 << 10
)

// resync counts the packets in a row that were not authentic.
type resync struct {
	failed, failures uint64
	cycles           uint64
}

// newResync completes what the configuration leaves out.
func newResync(r policy.Resync) resync {
	if r.Failures == 0 {
		r.Failures = defaultResyncFailures
	}
	if r.Cycles == 0 {
		r.Cycles = defaultResyncCycles
	}
	return resync{failures: uint64(r.Failures), cycles: uint64(r.Cycles)}
}

// due counts one more packet that is not authentic, and reports whether higher upper halves are to be tried for it. Then the count
// begins anew, whatever comes of it.
func (r *resync) due(rules *rule.Switches) bool {
	r.failed++
	if !guardResyncFailures.AtLeast(rules, r.failed, r.failures) {
		return false
	}
	r.failed = 0
	return guardResync.Kept(rules)
}

// ahead is called with the number of a packet that is not authentic. If it is time, it has open try the same lower half with higher
// upper halves, and returns the number with which that succeeded.
func (s *SA) ahead(sequence uint64, open func(high uint32) error) (found uint64, ok bool) {
	if !s.esn || !s.resync.due(s.rules) {
		return 0, false
	}
	high := sequence >> 32
	for i := uint64(1); i <= mostCycles && i <= math.MaxUint32-high && guardResyncCycles.AtMost(s.rules, i, s.resync.cycles); i++ {
		if open(uint32(high+i)) == nil {
			return (high+i)<<32 | sequence&math.MaxUint32, true
		}
	}
	return 0, false
}

// openAhead opens a packet whose number was taken for sequence, with which it failed, by another one if that can be found.
func (s *SA) openAhead(dst, packet []byte, sequence uint64, failure error) (plain []byte, found uint64, err error) {
	found, ok := s.ahead(sequence, func(high uint32) (err error) {
		plain, err = s.suite.open(dst, packet, high)
		return err
	})
	if !ok {
		return dst, 0, failure
	}
	return plain, found, nil
}

// openAhead is that of SA for AH.
func (a *AH) openAhead(dst, packet []byte, at int, sequence uint64, failure error) (payload []byte, next uint8, found uint64, err error) {
	found, ok := a.ahead(sequence, func(high uint32) (err error) {
		payload, next, err = a.ReadPacket(dst, packet, at, high)
		return err
	})
	if !ok {
		return dst, 0, 0, failure
	}
	return payload, next, found, nil
}
