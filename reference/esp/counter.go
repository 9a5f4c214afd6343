package esp

import (
	"encoding/binary"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// counter makes the IVs of a counter mode, so that no two senders and no two packets share one (RFC 6054 §3):
//
//	SID (bits, leftmost) | SSIV (64 - bits), counted from 0
type counter struct {
	rules  *rule.Switches
	hasSID bool
	sid    uint32
	bits   int
	ssiv   uint64            // of the next packet
	before map[uint32]uint64 // SSIVs where earlier SIDs of the same SA stopped: none of them may be used again
}

func newCounter(o Options) (counter, error) {
	c := counter{rules: o.Rules}
	if !o.HasSID {
		return c, nil
	}
	return c, c.setSID(o.SID, o.SIDBits)
}

// setSID moves to another SID; one that was used before goes on where it stopped.
func (c *counter) setSID(sid uint32, bits int) error {
	if bits < 1 || bits > 63 || uint64(sid)>>bits != 0 {
		return fmt.Errorf("%w: %d in %d bits", ErrSID, sid, bits)
	}
	if c.hasSID && c.sid == sid && c.bits == bits {
		return nil
	}
	if c.hasSID {
		if c.before == nil {
			c.before = make(map[uint32]uint64)
		}
		c.before[c.sid] = c.ssiv
	}
	c.hasSID, c.sid, c.bits, c.ssiv = true, sid, bits, c.before[sid]
	return nil
}

// next puts the IV of the next packet into iv.
func (c *counter) next(iv []byte) error {
	if !c.hasSID {
		return ErrNoSID
	}
	sid, room := uint64(c.sid), 64-c.bits
	if !guardSpace.Holds(c.rules, c.ssiv>>room == 0) {
		return fmt.Errorf("%w: %w", ErrExhausted, guardSpace.Violated("all IVs of SID %d are used up", c.sid))
	}
	if !guardOwnSID.Kept(c.rules) {
		sid ^= 1
	}
	value := sid<<room | c.ssiv&(1<<room-1)
	if !guardLeftmost.Kept(c.rules) {
		value = c.ssiv<<c.bits | sid
	}
	binary.BigEndian.PutUint64(iv, value)
	if guardSSIV.Kept(c.rules) {
		c.ssiv++
	}
	return nil
}
