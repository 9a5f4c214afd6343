package pairs

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestPairs(t *testing.T) { kit.Test(t, "pairs") }
