package natt

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestSequence(t *testing.T) { kit.Test(t, "natt") }
