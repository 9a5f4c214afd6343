package lab

import (
	"context"
	"fmt"
	"strings"

	"github.com/gdoilab/gdoilab/harness/console"
	"github.com/gdoilab/gdoilab/reference/control"
)

// Console types a command at a device, as an operator who may do everything and who is sure, and reads what comes back.
func (p *Peer) Console(ctx context.Context, line string) (console.Answer, error) {
	args := control.ConsoleArgs{Line: line, Mode: "exec"}
	var result control.ConsoleResult
	if err := p.ask(ctx, control.Console, args, &result); err != nil {
		return console.Answer{}, err
	}
	if strings.Contains(result.Prompt, "[yes/no]") || strings.Contains(result.Prompt, "[confirm]") {
		if err := p.ask(ctx, control.Console, control.ConsoleArgs{Line: "yes", Mode: result.Mode}, &result); err != nil {
			return console.Answer{}, err
		}
	}
	answer := console.Read(result.Text)
	if answer.Refused() {
		return answer, fmt.Errorf("lab: %s refuses %q: %s", p.Name(), line, strings.TrimSpace(result.Text))
	}
	return answer, nil
}
