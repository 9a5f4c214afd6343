package keymat

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkNewKey(b *testing.B) {
	eachGroupAgainst14(b, func(b *testing.B, id uint16) func() {
		g, rand := group(b, id), Seeded("bench")
		return func() {
			if _, err := g.NewKey(rand); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkShared(b *testing.B) {
	eachGroupAgainst14(b, func(b *testing.B, id uint16) func() {
		k, peer := keyOf(b, id, Seeded("bench", "a")), keyOf(b, id, Seeded("bench", "b")).Public()
		return func() {
			if _, err := k.Shared(peer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// eachGroupAgainst14 measures an operation in every group, and how long it takes compared with group 14 in the same run.
func eachGroupAgainst14(b *testing.B, prepare func(b *testing.B, id uint16) func()) {
	for _, id := range groupIDs {
		b.Run(fmt.Sprintf("group-%d", id), func(b *testing.B) {
			usual, op := prepare(b, 14), prepare(b, id)
			op() // makes what the group needs once
			usual()
			b.ReportAllocs()
			for b.Loop() {
				op()
			}
			each := b.Elapsed() / time.Duration(b.N)
			const rounds = 50
			start := time.Now()
			for range rounds {
				usual()
			}
			b.ReportMetric(float64(each)/float64(time.Since(start)/rounds), "x-group-14")
		})
	}
}
