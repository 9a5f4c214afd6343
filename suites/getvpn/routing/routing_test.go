package routing

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestRouting(t *testing.T) { kit.Test(t, "routing") }
