package kit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// Of several who share the claims, one gets each spec.
func TestClaims(t *testing.T) {
	const specs, workers = 5000, 4
	f, err := newClaims()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var taken [specs]atomic.Int32
	var wait sync.WaitGroup
	for range workers {
		c, err := OpenClaims(f)
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			for i := range specs {
				if c.take(fmt.Sprintf("subject/spec-%d", i)) {
					taken[i].Add(1)
				}
			}
		})
	}
	wait.Wait()
	for i := range taken {
		if n := taken[i].Load(); n != 1 {
			t.Fatalf("spec %d is taken by %d", i, n)
		}
	}
}
