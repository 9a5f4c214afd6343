package robustness

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestRobustness(t *testing.T) { kit.Test(t, "robustness") }
