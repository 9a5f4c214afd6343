package modes

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestModes(t *testing.T) { kit.Test(t, "modes") }
