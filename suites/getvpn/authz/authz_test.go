package authz

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestAuthz(t *testing.T) { kit.Test(t, "authz") }
