package lifecycle

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestLifecycle(t *testing.T) { kit.Test(t, "lifecycle") }
