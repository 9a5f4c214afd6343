package acl

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestACL(t *testing.T) { kit.Test(t, "acl") }
