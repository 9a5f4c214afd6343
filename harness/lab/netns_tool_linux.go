package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

var _ Toolbox = (*kernelHost)(nil)

// Run starts the program in the host's namespace, with the owner's mark.
func (h *kernelHost) Run(ctx context.Context, program string, args ...string) (func() (string, error), error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", OwnerEnv+"="+owner())
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.net.inside(h.name, cmd.Start); err != nil {
		return nil, fmt.Errorf("lab: %s on %s: %w", program, h.name, err)
	}
	return func() (string, error) {
		if err := cmd.Wait(); err != nil {
			return out.String(), fmt.Errorf("lab: %s on %s: %w", program, h.name, err)
		}
		return out.String(), nil
	}, nil
}
