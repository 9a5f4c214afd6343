package keyserver_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// certified gives the key server a key for Phase 1, with which members without certificates have nothing to do.
func certified(name string) func(*policy.KeyServer) {
	return func(cfg *policy.KeyServer) { cfg.Phase1.Certificates = policy.Certificates{Key: keyOf(name)} }
}

func (w *witness) signingKey(l *lab) {
	w.see("signing keys shared %d", len(l.tagged("SIGNING_KEY_SHARED")))
	w.see("KEK %x", l.member(1).phase1().register().Rekey.Key) // the source of this lab begins like this
}

// An operator is told of a key that serves for both, and not of two.
func TestSharedSigningKey(t *testing.T) {
	for name, want := range map[string]int{"ks1": 1, "ks2": 0, "ks-p256": 0} {
		if got := len(newLab(t, configuration(certified(name)), nil).tagged("SIGNING_KEY_SHARED")); got != want {
			t.Errorf("%s: %d warnings, want %d", name, got, want)
		}
	}
}
