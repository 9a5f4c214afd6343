package group_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// vendor is a group of profile getvpn.
func vendor(t *testing.T, change ...func(*policy.Group)) *group.Group {
	t.Helper()
	o := options(t.Name(), new(rule.Switches))
	o.Profile = policy.ProfileGETVPN
	g, err := group.New(unicast(change...), o, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// ledger holds what must be so of all PUSH messages of a group, whatever its policy and whoever does what.
type ledger struct {
	t      *testing.T
	last   map[policy.RekeySPI]uint32 // number under each Rekey SA
	ends   map[uint32]time.Time       // of each TEK, as first told
	lasted time.Time                  // end of the newest TEK
}

func (l *ledger) enter(now time.Time, p group.Plan) {
	l.t.Helper()
	next := l.last[p.Under.SPI] + 1
	switch {
	case len(p.To) == 0 && len(p.Missing) > 0:
		return // nothing is sent
	case len(p.To) == 0: // there is nobody to tell
	case p.Round == 0 && p.Rekey.Sequence != next || p.Round > 0 && p.Rekey.Sequence >= next:
		l.t.Fatalf("%v: number %d, loop %d, where %d is next", now.Sub(epoch), p.Rekey.Sequence, p.Round, next)
	default:
		l.last[p.Under.SPI] = max(l.last[p.Under.SPI], p.Rekey.Sequence)
	}
	for _, sa := range p.Rekey.SAs {
		end := now.Add(sa.Lifetime)
		if first, known := l.ends[sa.SPI]; known && (end.After(first) || first.Sub(end) > 2*time.Second) {
			l.t.Fatalf("%v: a TEK ends at %v, and at first was to end at %v", now.Sub(epoch), end.Sub(epoch), first.Sub(epoch))
		} else if !known {
			if now.After(l.lasted) {
				l.t.Fatalf("%v: the TEK before ended at %v", now.Sub(epoch), l.lasted.Sub(epoch))
			}
			l.ends[sa.SPI], l.lasted = end, end
		}
	}
}

// Whatever happens, numbers go up by one, TEKs are replaced before they end, and what is told late or again does not live longer for it.
func TestVendorLedger(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 7))
		g := vendor(t, func(cfg *policy.Group) {
			cfg.SIDBits = 16
			cfg.Rekey.KEKLifetime = time.Duration(300+r.IntN(7000)) * time.Second
			cfg.SAs[0].Lifetime = time.Duration(60+r.IntN(4000)) * time.Second
			cfg.Rekey.Retransmit = r.IntN(4)
			cfg.Rekey.Interval = time.Duration(5+r.IntN(20)) * time.Second
			if r.IntN(2) == 0 {
				cfg.Rekey.Ack = policy.AckKEKSHA256
			}
			if cfg.Rekey.Ack != policy.AckNone && r.IntN(2) == 0 {
				cfg.Rekey.Retransmit, cfg.Rekey.Reminders = 0, true
			}
			if r.IntN(3) == 0 {
				multicast(cfg)
			}
			if r.IntN(4) == 0 {
				cfg.Rekey.KEKBehaviour = policy.KEKOld
			}
		})
		l := &ledger{t: t, last: make(map[policy.RekeySPI]uint32), ends: make(map[uint32]time.Time), lasted: at(24 * time.Hour)}
		now := epoch
		for now.Before(at(6 * time.Hour)) {
			now = disturb(t, g, r, now, l)
		}
	}
}

// disturb does something to the group, and lets time pass.
func disturb(t *testing.T, g *group.Group, r *rand.Rand, now time.Time, l *ledger) time.Time {
	t.Helper()
	switch n := byte(r.IntN(200)); r.IntN(4) {
	case 0:
		for range r.IntN(60) {
			n++
			for _, p := range register(t, g, now, n, 1).Plans {
				l.enter(now, p)
			}
		}
	case 1:
		plans, err := g.Rekey(now, control.RekeyArgs{KEK: r.IntN(2) == 0})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range plans {
			l.enter(now, p)
		}
	}
	until := now.Add(time.Duration(r.IntN(600)) * time.Second)
	plans, when := run(t, g, until)
	for i, p := range plans {
		l.enter(when[i], p)
		for n := range p.To {
			if p.Under.Ack != policy.AckNone && r.IntN(2) == 0 {
				_ = ack(g, when[i], p.To[n].Addr().As4()[3], p) // some are late, or of another number by now: those are refused
			}
		}
	}
	return until
}
