package registration

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestRegistration(t *testing.T) { kit.Test(t, "registration") }
