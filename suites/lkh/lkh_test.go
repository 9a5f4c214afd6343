package lkh

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestLKH(t *testing.T) { kit.Test(t, "lkh") }
