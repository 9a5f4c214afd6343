package compat

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestCompat(t *testing.T) { kit.Test(t, "compat") }
