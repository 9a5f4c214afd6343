package phase1

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestPhase1(t *testing.T) { kit.Test(t, "phase1") }
