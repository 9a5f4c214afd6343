package ah

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestAH(t *testing.T) { kit.Test(t, "ah") }
