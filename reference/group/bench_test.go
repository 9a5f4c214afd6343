package group_test

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/group"
)

// BenchmarkDay is a day of a group of 100 members with TEKs of an hour and acknowledgements of every PUSH.
func BenchmarkDay(b *testing.B) {
	for b.Loop() {
		g := newGroup(b, unicast(acknowledged))
		for n := byte(1); n <= 100; n++ {
			register(b, g, epoch, n, 0)
		}
		for {
			now, _ := g.Deadline()
			if now.After(at(24 * time.Hour)) {
				break
			}
			for _, p := range due(b, g, now) {
				acknowledgeAll(b, g, now, p)
			}
		}
	}
}

func acknowledgeAll(b *testing.B, g *group.Group, now time.Time, p group.Plan) {
	for n := byte(1); n <= 100; n++ {
		if err := ack(g, now, n, p); err != nil {
			b.Fatal(err)
		}
	}
}
