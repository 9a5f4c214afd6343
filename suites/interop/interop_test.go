package interop

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestInterop(t *testing.T) { kit.Test(t, "interop") }
