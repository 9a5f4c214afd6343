package console

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestConsole(t *testing.T) { kit.Test(t, "console") }
