package ipv6

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestIPv6(t *testing.T) { kit.Test(t, "ipv6") }
