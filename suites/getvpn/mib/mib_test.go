package mib

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestMIB(t *testing.T) { kit.Test(t, "mib") }
