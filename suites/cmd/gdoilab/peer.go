package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/driver/tryout"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

func peerCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "peer", Short: "Look after the manifest of a device under test",
		Long: `A manifest describes a device under test: how it is started, configured, asked and stopped, what it can do and what is
known to fail. docs/peers.md explains how to write one; "run --dut" takes it.`,
		Args: cobra.NoArgs, // a command that there is not is no question for help
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use: "check MANIFEST", Short: "Try a manifest out: render, start, ask, stop", Args: cobra.ExactArgs(1),
		Long: `Read a manifest, render the device's configuration for the default group in each of its roles, start it beside a
tester, see whether they find together, ask it what it declares that it can be asked, and stop it. A program or a
container needs the netns fabric, and so root; without it the program is looked for, but not started.

The exit status is 1 if a step fails, and 2 if the manifest cannot be read. docs/peers.md explains manifests.`,
		Example:           `  sudo gdoilab peer check my-router.yaml`,
		ValidArgsFunction: completeManifests,
		RunE: func(c *cobra.Command, args []string) error {
			m, err := peer.Load(args[0])
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			t := &trial{out: c.OutOrStdout()}
			t.run(ctx, m)
			if t.failed {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	})
	return c
}

// trial tries out a manifest and prints a line for each step.
type trial struct {
	out    io.Writer
	role   rule.Role
	failed bool
}

// step prints what came of a step. What the manifest does not declare is no failure.
func (t *trial) step(what string, err error, detail string) bool {
	mark := "ok"
	switch {
	case tryout.Declared(err):
		mark, detail = "-", tryout.Declaration(err)
	case err != nil:
		mark, detail, t.failed = "FAILED", err.Error(), true
	}
	fmt.Fprintf(t.out, "%-6s  %s  %-29s %s\n", mark, t.role, what, detail)
	return err == nil
}

func (t *trial) run(ctx context.Context, m *peer.Manifest) {
	fmt.Fprintf(t.out, "%s is %s, %d expected failures, SHA-256 %s\n", m.File, m.Name, len(m.Expected), m.Digest)
	for _, r := range m.Roles() {
		t.role = r.Is
		if r.Process() != nil && !t.render(ctx, r) || r.Router() != nil && !t.renderVisit(r) {
			continue
		}
		fabric, why := fabricFor(r)
		if fabric == nil {
			t.step("starts", &peer.Unsupported{Declaration: "not tried: " + why}, "")
			continue
		}
		t.live(ctx, fabric, m)
	}
}

// render makes the device's files for the default group and looks for its program or image.
func (t *trial) render(ctx context.Context, r *peer.Role) bool {
	launch, err := lab.Rehearse(r)
	if err != nil {
		t.failed = true // also if the device says that it does not support the default group
		return t.step("renders the default group", err, "")
	}
	var files []string
	for _, f := range launch.Files {
		files = append(files, fmt.Sprintf("%s (%d octets)", filepath.Base(f.Path), len(f.Content)))
	}
	t.step("renders the default group", nil, strings.Join(files, ", "))
	if launch.Vessel != nil {
		return t.step("its image is there", lab.Find(ctx, launch), launch.Vessel.Origin())
	}
	return t.step("its program is there", launch.Find(), launch.Command[0])
}

// renderVisit makes a router's configuration for the default group, if this machine knows where the router is.
func (t *trial) renderVisit(r *peer.Role) bool {
	if why := (lab.Namespaces{}).CannotStart(r); why != "" {
		return t.step("can be reached", errors.New(why), "")
	}
	visit, err := lab.RehearseVisit(r)
	if err != nil {
		t.failed = true // also if the device says that it does not support the default group
		return t.step("renders the default group", err, "")
	}
	return t.step("renders the default group", nil, fmt.Sprintf("%d lines, %d commands that show its state", len(visit.Lines), len(visit.Views)))
}

// fabricFor is the fabric on which the device can be started here, or why there is none.
func fabricFor(r *peer.Role) (lab.Fabric, string) {
	if r.Process() == nil && r.Driver() == nil && r.Router() == nil {
		return lab.Memory{}, ""
	}
	netns := lab.Namespaces{}
	if err := netns.Usable(); err != nil {
		return nil, err.Error()
	}
	if why := netns.CannotStart(r); why != "" {
		return nil, why
	}
	return netns, ""
}

// live has the device run beside a tester.
func (t *trial) live(ctx context.Context, fabric lab.Fabric, m *peer.Manifest) {
	l, err := lab.New(ctx, lab.Env{Fabric: fabric, Seed: "1", Device: m}, lab.Setup{Device: t.role, Hosts: true})
	if err != nil {
		t.failed = true
		t.step("fits the default group", err, "")
		return
	}
	device := l.GM[0]
	if t.role == rule.KS {
		device = l.KS
	}
	begin := time.Now()
	started := t.step("starts", errors.Join(l.KS.Start(ctx), l.GM[0].Start(ctx)), "on the "+fabric.Name()+" fabric")
	if started {
		t.step("finds together with a tester", l.Together(ctx, device), fmt.Sprintf("after %.1f s", time.Since(begin).Seconds()))
		t.ask(ctx, device)
	}
	t.step("stops", device.Stop(), "")
	t.step("leaves nothing behind", l.Close(), "")
}

// ask has the device do what its manifest says it can.
func (t *trial) ask(ctx context.Context, device *lab.Peer) {
	t.step("answers when asked", device.Alive(ctx), "")
	if t.role == rule.KS {
		result, err := device.Rekey(ctx, control.RekeyArgs{})
		t.step("rekeys when told", err, fmt.Sprintf("sequence number %d", result.Sequence))
	} else {
		t.step("registers when told", device.Register(ctx), "")
	}
	t.step("its log is read", device.Can(peer.ReadLog), t.events(device))
	t.step("its key log is read", device.Can(peer.ReadKeys), fmt.Sprintf("%d entries", len(device.Keys())))
}

// events says how many lines of the log tell of which event.
func (t *trial) events(device *lab.Peer) string {
	lines := device.Log()
	seen := []string{fmt.Sprintf("%d lines", len(lines))}
	for _, e := range peer.EventNames {
		if n := len(device.Logged(e.Name)); n > 0 {
			seen = append(seen, fmt.Sprintf("%s %d", e.Name, n))
		}
	}
	return strings.Join(seen, ", ")
}
