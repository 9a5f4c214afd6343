package sadb

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Options says how an SA is installed.
type Options struct {
	ESP        esp.Options
	SendFrom   time.Time // when it starts to send (RFC 5374 §4.2.1); zero: at once
	Awaits     bool      // it starts so late only because older SAs live so long; see Relieve
	Group      int       // the place of the SA's group among those of the member; where entries of several fit, the first counts
	Generation uint64    // of SAs for the same flow that of the highest generation counts as the newest; see Entry
}

// DB is the SAs of one member, which may be in several groups. It is not safe for concurrent use.
type DB struct {
	rules   *rule.Switches
	entries []*Entry // by group, newest first, otherwise in the order of installation
}

// New makes an empty DB.
func New(rules *rule.Switches) *DB { return &DB{rules: rules} }

// Install adds an SA, which nobody may change any more; it receives from now on. Entries of its group for the same selector stop
// sending when it starts.
//
// An SA that is there already, with the same keys, goes on with its sequence numbers and IVs, takes over the new lifetime
// and counts as new; if it was sending it still is. If only the SPI and the selector are the same, the new SA takes the
// place of the old one. Errors are those of esp.New.
func (db *DB) Install(now time.Time, t *policy.TrafficSA, o Options) (*Entry, error) {
	e := &Entry{Policy: t, SendFrom: o.SendFrom, Awaits: o.Awaits, Group: o.Group, Generation: o.Generation, spi: t.SPI, flow: db.Flow(&t.Selector),
		listens: t.Transform.Direction == policy.DirectionReceiverOnly}
	if e.flow == nil {
		own := t.Selector
		e.flow = &own
	}
	if e.SendFrom.IsZero() {
		e.SendFrom = now
	}
	e.Expiry = now.Add(guardLifetime.Delay(db.rules, t.Lifetime))
	if err := db.attach(e, o.ESP); err != nil {
		return nil, err
	}
	db.entries = slices.DeleteFunc(db.entries, func(old *Entry) bool {
		if old.Group != e.Group || old.spi != t.SPI || !old.alike(e) {
			return false
		}
		if old.SA == e.SA && old.SendFrom.Before(e.SendFrom) {
			e.SendFrom = old.SendFrom
		}
		if old.SA == e.SA {
			e.Used = old.Used
		}
		return true
	})
	db.supersede(e)
	at := slices.IndexFunc(db.entries, e.newer)
	if at < 0 {
		at = len(db.entries)
	}
	db.entries = slices.Insert(db.entries, at, e)
	return e, nil
}

// Flow is where the DB has a selector for all entries with exactly that one, nil if there is none. It is to be read only.
func (db *DB) Flow(s *policy.Selector) *policy.Selector {
	for _, e := range db.entries {
		if *e.flow == *s {
			return e.flow
		}
	}
	return nil
}

// attach gives the entry its SA: the one that is there already, in whatever group, or a new one.
func (db *DB) attach(e *Entry, o esp.Options) (err error) {
	for _, old := range db.entries {
		if old.spi == e.spi && sameSA(old.Policy, e.Policy) {
			e.SA, e.Tally = old.SA, old.Tally
			if o.HasSID {
				err = e.SA.SetSID(o.SID, o.SIDBits)
			}
			return err
		}
	}
	e.Tally = new(Tally)
	if e.SA, err = newSA(*e.Policy, o); err != nil {
		return fmt.Errorf("sadb: SPI %08x: %w", e.spi, err)
	}
	return nil
}

// supersede ends the sending of the older of two entries of a group for the same flows as soon as the newer one sends, so that even
// if the newer ends first nothing goes back.
func (db *DB) supersede(e *Entry) {
	for _, other := range db.entries {
		if other.Group != e.Group || !other.alike(e) {
			continue
		}
		switch {
		case e.newer(other) && e.sender(db.rules):
			other.until(e.SendFrom)
		case other.newer(e) && other.sender(db.rules):
			e.until(other.SendFrom)
		}
	}
}

// Replace retires what the SAs of a generation take the place of in their group: older entries with the same selector as one of
// them, or all older ones if no selector is the same. They stop sending at sendTill, and are gone at expiry unless their lifetime
// ends before; a zero expiry leaves it at that.
func (db *DB) Replace(group int, generation uint64, sendTill, expiry time.Time) {
	all := !slices.ContainsFunc(db.entries, func(e *Entry) bool { return db.replaced(e, group, generation) })
	for _, e := range db.entries {
		if e.Generation >= generation || !e.of(group, guardOwnReplace, db.rules) || !all && !db.replaced(e, group, generation) {
			continue
		}
		e.until(sendTill)
		if !expiry.IsZero() && expiry.Before(e.Expiry) {
			e.Expiry = expiry
		}
	}
}

// Relieves reports whether an SA of that generation for that selector would take over from an older one of its group, which sends
// for some of its flows or is about to.
func (db *DB) Relieves(now time.Time, group int, s policy.Selector, generation uint64) bool {
	return slices.ContainsFunc(db.entries, func(e *Entry) bool {
		return e.Generation < generation && e.serves(now, group, s, db.rules)
	})
}

// Relieved is when the last of the SAs ends that one with that SPI, of that generation and for that selector, would take over from;
// zero if there is none. What came with it in one message counts if it was installed before, and the SA itself does not, if it is there
// already.
func (db *DB) Relieved(now time.Time, group int, spi uint32, s policy.Selector, generation uint64) (end time.Time) {
	for _, e := range db.entries {
		if e.Generation <= generation && e.spi != spi && e.serves(now, group, s, db.rules) && e.Expiry.After(end) {
			end = e.Expiry
		}
	}
	return end
}

// Relieve has SAs of a group that await the end of older ones take over from those that are gone: of each flow that nobody sends for any
// more the oldest of them sends from now on.
func (db *DB) Relieve(now time.Time, group int) {
	for _, e := range slices.Backward(db.entries) {
		if e.Group == group && e.Awaits && now.Before(e.SendFrom) && !slices.ContainsFunc(db.entries, func(other *Entry) bool {
			return other.sends(now, db.rules) && e.awaits(other)
		}) {
			e.SendFrom, e.Awaits = now, false
		}
	}
}

// replaced reports whether an entry of that generation has the same selector as the older e.
func (db *DB) replaced(e *Entry, group int, generation uint64) bool {
	return e.Group == group && e.Generation < generation && slices.ContainsFunc(db.entries, func(n *Entry) bool {
		return n.Generation == generation && n.alike(e)
	})
}

// LookupInbound finds the SA of a packet that was received with these outer addresses: of those with the SPI the one that
// fits the addresses best, by destination and source, then by destination, then by SPI alone (RFC 4303 §2.1). Key servers that
// know nothing of each other may give out the same SPI; of SAs that fit alike that of the first group is taken.
func (db *DB) LookupInbound(now time.Time, spi uint32, dst, src netip.Addr) (*Entry, bool) {
	var best *Entry
	bestRank := -1
	for _, e := range db.entries {
		if e.spi != spi || !e.receives(now, db.rules) {
			continue
		}
		if rank, ok := e.rank(dst, src); ok && rank > bestRank {
			best, bestRank = e, rank
		}
		if best != nil && !guardLongest.Kept(db.rules) {
			break
		}
	}
	return best, best != nil
}

// Covers reports whether a selector of the entry's SA takes the flow: of this entry, or of another that shares the SA.
func (db *DB) Covers(now time.Time, e *Entry, f Flow) bool {
	if Match(e.Policy.Selector, f, db.rules) {
		return true
	}
	return slices.ContainsFunc(db.entries, func(other *Entry) bool {
		return other.SA == e.SA && other.receives(now, db.rules) && Match(other.Policy.Selector, f, db.rules)
	})
}

// SelectOutbound finds the SA under which a packet is to be sent: the newest that is active and takes the flow.
func (db *DB) SelectOutbound(now time.Time, f Flow) (*Entry, bool) {
	return db.Select(now, func(e *Entry) bool { return Match(e.Policy.Selector, f, db.rules) })
}

// Select finds the newest SA that is active and takes what is to be sent.
func (db *DB) Select(now time.Time, takes func(*Entry) bool) (*Entry, bool) {
	var found *Entry
	for _, e := range db.entries {
		if !e.sends(now, db.rules) || !takes(e) {
			continue
		}
		found = e
		if guardForward.Kept(db.rules) {
			break // the mutant goes on to the oldest
		}
	}
	return found, found != nil
}

// Knows reports whether an entry lives, sending or not, whose selector takes the flow or may take it.
func (db *DB) Knows(now time.Time, f Flow) bool {
	return slices.ContainsFunc(db.entries, func(e *Entry) bool {
		return e.lives(now) && MayMatch(e.Policy.Selector, f, db.rules)
	})
}

// Sending reports whether new packets of the entry's selector leave under it.
func (db *DB) Sending(now time.Time, e *Entry) bool {
	for _, other := range db.entries {
		if other.sends(now, db.rules) && other.alike(e) {
			return other == e
		}
	}
	return false
}

// Has reports whether an entry of a group has exactly that selector.
func (db *DB) Has(group int, s policy.Selector) bool {
	return slices.ContainsFunc(db.entries, func(e *Entry) bool { return e.Group == group && *e.flow == s })
}

// Entries returns what is installed, newest first. The slice is the DB's own and valid until it changes.
func (db *DB) Entries() []*Entry { return db.entries }

// SetSID gives all counter-mode SAs of a group another sender ID (RFC 6407 §3.5: the same on every SA of the group). Errors are
// those of esp.SA.SetSID.
func (db *DB) SetSID(group int, sid uint32, bits int) error {
	for _, e := range db.entries {
		if !e.of(group, guardOwnSID, db.rules) {
			continue
		}
		if err := e.SA.SetSID(sid, bits); err != nil {
			return fmt.Errorf("sadb: SPI %08x: %w", e.spi, err)
		}
	}
	return nil
}

// Remove takes the entries that a group has of an SPI of that protocol out at once.
func (db *DB) Remove(group int, p policy.Protocol, spi uint32) {
	db.entries = slices.DeleteFunc(db.entries, func(e *Entry) bool {
		return e.spi == spi && e.Policy.Transform.Protocol == p && e.of(group, guardOwnSPI, db.rules)
	})
}

// RemoveAll takes everything that a group has of a protocol out at once.
func (db *DB) RemoveAll(group int, p policy.Protocol) {
	db.entries = slices.DeleteFunc(db.entries, func(e *Entry) bool {
		return e.Policy.Transform.Protocol == p && e.of(group, guardOwnAll, db.rules)
	})
}

// Expire takes out what has come to its end. An SA is not used after its end even if Expire has not been called.
func (db *DB) Expire(now time.Time) {
	db.entries = slices.DeleteFunc(db.entries, func(e *Entry) bool { return !e.lives(now) })
}

// Deadline is when the first entry comes to its end.
func (db *DB) Deadline() (at time.Time, ok bool) {
	for _, e := range db.entries {
		if !ok || e.Expiry.Before(at) {
			at, ok = e.Expiry, true
		}
	}
	return at, ok
}
