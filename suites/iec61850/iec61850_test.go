package iec61850

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestIEC61850(t *testing.T) { kit.Test(t, "iec61850") }
