package keymat

import (
	"errors"
	"strconv"
	"testing"
)

// A memo makes a thing once as long as it remembers it, the latest of them, and an error each time.
func TestMemo(t *testing.T) {
	m := memo[int]{most: 3}
	made := 0
	get := func(i int) {
		t.Helper()
		if got, err := m.get(strconv.Itoa(i), func() (int, error) { made++; return i, nil }); got != i || err != nil {
			t.Errorf("%d: %d, %v", i, got, err)
		}
	}
	for _, c := range []struct{ key, made int }{{1, 1}, {2, 2}, {1, 2}, {3, 3}, {4, 4}, {2, 4}, {1, 5}, {4, 5}, {2, 6}} {
		if get(c.key); made != c.made {
			t.Errorf("after %d: %d were made, want %d", c.key, made, c.made)
		}
	}
	if len(m.has) != 3 || len(m.keys) != 3 {
		t.Errorf("%d are remembered, want 3", len(m.has))
	}
	wrong := errors.New("wrong")
	for range 2 {
		if _, err := m.get("x", func() (int, error) { made++; return 0, wrong }); !errors.Is(err, wrong) {
			t.Errorf("%v", err)
		}
	}
	if made != 8 {
		t.Errorf("%d were made, want 8: an error is not remembered", made)
	}
}
