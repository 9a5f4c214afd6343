package algorithms

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestAlgorithms(t *testing.T) { kit.Test(t, "algorithms") }
