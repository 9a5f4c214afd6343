package console

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Words about the configuration are there if there is one, and leave what is to be done to the carrier.
func TestConfigurable(t *testing.T) {
	plain, _ := gm()
	if got := plain.answer(epoch, control.ConsoleArgs{Mode: "exec", Line: "configure terminal"}); !strings.Contains(got.Text, "Invalid input") {
		t.Errorf("%+v", got)
	}
	c := Configurable(plain, func() string { return "hostname gm1\n crypto map\n" }).(*Console)
	for _, turn := range []struct{ mode, line, text, next, prompt string }{
		{"exec", "show run", "hostname gm1\n crypto map\n", "exec", "gm1#"},
		{"exec", "conf t", "Enter configuration commands, one per line.  End with CNTL/Z.\n", "configure", "gm1(config)#"},
		{"exec", "configure replace flash:before force", "", "replace:before", ""},
		{"exec", "configure replace nvram:startup-config", "", "replace:startup-config", ""},
		{"exec", "copy running-config flash:/before", "", "name:flash:/before", "Destination filename [before]? "},
		{"name:flash:/before", "", "", "save:before", ""},
		{"name:flash:/before", " other", "", "save:other", ""},
		{"configure", "hostname x", "% The configuration is changed over SSH\n", "exec", "gm1#"},
		{"exec", "configure", "% Incomplete command.\n\n", "exec", "gm1#"},
	} {
		got := c.answer(epoch, control.ConsoleArgs{Mode: turn.mode, Line: turn.line})
		if got.Text != turn.text || got.Mode != turn.next || turn.prompt != "" && got.Prompt != turn.prompt {
			t.Errorf("%q: %+v", turn.line, got)
		}
	}
	for _, line := range []string{"configure terminal", "show running-config", "copy running-config x"} {
		if got := c.answer(epoch, control.ConsoleArgs{Mode: "", Line: line}); !strings.Contains(got.Text, "Invalid input") {
			t.Errorf("somebody who may only look typed %q: %+v", line, got)
		}
	}
	var bareCore core.Core = &told{}
	if Configurable(bareCore, func() string { return "" }) != bareCore || Member(bareCore, policy.Member{}, "", nil) != bareCore {
		t.Error("a core without a console has one")
	}
}
