package reject

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Burst and Rate limit the log lines of one guard: Burst at once, Rate a second in the long run. Counting has no limit.
const (
	Burst = 20
	Rate  = 10
)

// Log counts refusals and limits their log lines. The zero value is ready for use; it is not safe for concurrent use.
type Log struct{ guards map[*rule.Guard]*state } // of few guards, of the many that there are

type state struct {
	count  uint64
	tokens float64
	last   time.Time
}

// Refuse counts the violation and returns its log line, or nothing if the guard has used up its share of lines.
func (l *Log) Refuse(now time.Time, v *rule.Violation, from netip.AddrPort) []core.Effect {
	if !l.count(now, v.Guard) {
		return nil
	}
	return []core.Effect{line(v.Guard, v.Detail, from)}
}

// RefuseGuard is Refuse for hot paths, with the guard's own sentence as detail: it allocates only when a line is due.
func (l *Log) RefuseGuard(now time.Time, g *rule.Guard, from netip.AddrPort) []core.Effect {
	if !l.count(now, g) {
		return nil
	}
	return []core.Effect{line(g, "not so: "+g.Doc, from)}
}

// Counts returns how many messages were refused, by requirement id.
func (l *Log) Counts() map[string]uint64 {
	counts := make(map[string]uint64)
	for g, s := range l.guards {
		counts[string(g.ID)] += s.count
	}
	return counts
}

// count adds one refusal and reports whether a log line may be written.
func (l *Log) count(now time.Time, g *rule.Guard) bool {
	s := l.guards[g]
	if s == nil {
		if l.guards == nil {
			l.guards = make(map[*rule.Guard]*state)
		}
		s = &state{tokens: Burst}
		l.guards[g] = s
	}
	s.count++
	if !s.last.IsZero() {
		s.tokens = min(Burst, s.tokens+now.Sub(s.last).Seconds()*Rate)
	}
	s.last = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

func line(g *rule.Guard, detail string, from netip.AddrPort) *core.Log {
	l := &core.Log{Severity: core.Warning, Tag: "REFUSED", Requirement: g.ID, Text: detail}
	l.Fields = append(l.Fields, core.Field{Name: "guard", Value: g.Name})
	if from.IsValid() {
		l.Fields = append(l.Fields, core.Field{Name: "from", Value: from.String()})
	}
	return l
}
