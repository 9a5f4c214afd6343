package ack

import (
	"testing"

	"github.com/gdoilab/gdoilab/suites/kit"
)

func TestMain(m *testing.M) { kit.Main(m) }

func TestAck(t *testing.T) { kit.Test(t, "ack") }
