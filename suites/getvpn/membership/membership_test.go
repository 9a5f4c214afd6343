package membership

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestMembership(t *testing.T) { kit.Test(t, subject) }
