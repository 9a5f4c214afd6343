package vrf

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestVRF(t *testing.T) { kit.Test(t, "vrf") }
