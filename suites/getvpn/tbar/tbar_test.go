package tbar

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestTBAR(t *testing.T) { kit.Test(t, "tbar") }
