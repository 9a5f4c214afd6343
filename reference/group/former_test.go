package group

import (
	"testing"
	"time"
)

func TestShortened(t *testing.T) {
	for _, c := range []struct{ left, whole, want time.Duration }{
		{2000 * time.Second, 3600 * time.Second, 180 * time.Second},
		{500 * time.Second, 600 * time.Second, 90 * time.Second},
		{60 * time.Second, 600 * time.Second, 60 * time.Second},
		{20 * time.Hour, 48 * time.Hour, time.Hour},
		{90 * time.Second, 1800 * time.Second, 90 * time.Second},
		{3600 * time.Second, 1801 * time.Second, 90050 * time.Millisecond},
	} {
		if got := shortened(c.left, c.whole); got != c.want {
			t.Errorf("%v of %v: %v, want %v", c.left, c.whole, got, c.want)
		}
	}
}
