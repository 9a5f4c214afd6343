package messages

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestMessages(t *testing.T) { kit.Test(t, "messages") }
