package keymat

import "testing"

// A memo remembers so many, the latest of them, and each as it was first.
func TestMemo(t *testing.T) {
	m := memo[int, string]{most: 3}
	if _, ok := m.get(1); ok {
		t.Error("an empty one remembers something")
	}
	for key := range 10 {
		m.put(key, "first")
		m.put(key, "second") // twice counts once
	}
	for key := range 10 {
		if got, ok := m.get(key); ok != (key >= 7) || ok && got != "first" {
			t.Errorf("%d: %q, %t", key, got, ok)
		}
	}
	if len(m.has) != 3 || len(m.keys) != 3 {
		t.Errorf("%d and %d are remembered, want 3", len(m.has), len(m.keys))
	}
}
