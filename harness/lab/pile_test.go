package lab

import "testing"

// What is on a pile comes back as it was added, however much it is, and what was returned is the caller's.
func TestPile(t *testing.T) {
	for _, n := range []int{0, 1, leastRoom, leastRoom + 1, 3*mostRoom + 5} {
		var p pile[int]
		for i := range n {
			p.add(i)
			if i%100 == 0 && len(p.all()) != i+1 {
				t.Fatalf("%d after %d", len(p.all()), i+1)
			}
		}
		all := p.all()
		if len(all) != n {
			t.Errorf("%d of %d", len(all), n)
		}
		for i := range all {
			all[i] = -1
		}
		all = p.take()
		for i, one := range all {
			if one != i {
				t.Fatalf("%d of %d is %d", i, n, one)
			}
		}
		if p.add(7); len(all) != n || len(p.all()) != 1 || n > 0 && all[0] != 0 {
			t.Errorf("%d of %d are taken, and %v are left", len(all), n, p.all())
		}
	}
}
