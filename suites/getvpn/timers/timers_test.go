package timers

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestTimers(t *testing.T) { kit.Test(t, "timers") }
