package dataplane

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestDataPlane(t *testing.T) { kit.Test(t, "dataplane") }
