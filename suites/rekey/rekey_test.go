package rekey

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestRekey(t *testing.T) { kit.Test(t, "rekey") }
