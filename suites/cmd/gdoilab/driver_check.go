package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/driver/tryout"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

func driverCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check MANIFEST", Short: "Try out how a manifest has its device driven, method by method", Args: cobra.ExactArgs(1),
		Long: `Start the driver that a manifest names and call every method of the contract: greet it, ask it for a capability that
nobody has, have it place, configure and start the device beside a tester, ask and tell the device, stop and reset it, and look
for what is left. What is wrong comes as plain lines. No specification is run, and it takes less than a minute.

A device that its manifest starts by itself, as a process or a core, is tried in the same way through its manifest. Programs and
drivers need the netns fabric, and so root; without it only what a driver says is looked at.

The exit status is 1 if something is wrong, and 2 if the manifest cannot be read.`,
		Example: `  sudo gdoilab driver check my-router.yaml`, ValidArgsFunction: completeManifests,
		RunE: func(c *cobra.Command, args []string) error {
			m, err := peer.Load(args[0])
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("a minute is over"))
			defer cancel()
			d := &driverTrial{trial{out: c.OutOrStdout()}}
			d.run(ctx, m)
			if d.failed {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
}

// driverTrial tries out how a device is driven and prints a line for each step.
type driverTrial struct{ trial }

func (d *driverTrial) run(ctx context.Context, m *peer.Manifest) {
	fmt.Fprintf(d.out, "%s is %s, SHA-256 %s\n", m.File, m.Name, m.Digest)
	for _, r := range m.Roles() {
		if d.role = r.Is; !d.words(ctx, m, r) {
			continue
		}
		fabric, why := fabricFor(r)
		if fabric == nil {
			d.step("is prepared", &peer.Unsupported{Declaration: "not tried: " + why}, "")
			continue
		}
		d.live(ctx, fabric, m)
	}
}

// tell prints a step of a tryout.
func (d *driverTrial) tell(s tryout.Step) { d.step(s.What, s.Err, s.Detail) }

// words looks for the program of the device or its driver, and has a driver speak. It reports whether the device can be started.
func (d *driverTrial) words(ctx context.Context, m *peer.Manifest, r *peer.Role) bool {
	if r.Process() != nil {
		return d.render(ctx, r)
	}
	if r.Driver() == nil {
		return true
	}
	dir, err := os.MkdirTemp("", "gdoilab-driver-")
	if err != nil {
		return d.step("its program is there", err, "")
	}
	defer os.RemoveAll(dir)
	ride, err := lab.RehearseDriver(r, dir)
	if err == nil {
		err = ride.Find()
	}
	if !d.step("its program is there", err, "") {
		return false
	}
	p, err := lab.RunDriver(ride, m.Name)
	if err != nil {
		return d.step("its program starts", err, "")
	}
	well := true
	tryout.Words(ctx, p, m, r, func(s tryout.Step) {
		well = well && !s.Fault()
		d.tell(s)
	})
	return well
}

// live has the device run beside a tester.
func (d *driverTrial) live(ctx context.Context, fabric lab.Fabric, m *peer.Manifest) {
	l, err := lab.New(ctx, lab.Env{Fabric: fabric, Seed: "1", Device: m}, lab.Setup{Device: d.role, Hosts: true})
	if err != nil {
		d.failed = true
		d.step("fits the default group", err, "")
		return
	}
	device, tester := l.GM[0], l.KS
	if d.role == rule.KS {
		device, tester = l.KS, l.GM[0]
	} else {
		err = tester.Start(ctx) // before the device, which may be slow to try again
	}
	drive, failed := device.Drive()
	if err = errors.Join(err, failed); err != nil {
		d.step("is driven", err, "")
	} else {
		tryout.Device(ctx, drive.Driver, d.scene(l, device, tester, drive), d.tell)
	}
	d.step("leaves nothing behind", l.Close(), "")
}

// scene is what a tryout has to know of the network.
func (d *driverTrial) scene(l *lab.Lab, device, tester *lab.Peer, drive lab.Drive) tryout.Scene {
	role := d.role
	return tryout.Scene{
		Place: drive.Place, Policy: drive.Policy, Left: drive.Left, Now: l.Now, Named: device.NamesEvents(),
		Together: func(ctx context.Context) error {
			if role == rule.KS {
				if err := tester.Start(ctx); err != nil {
					return err
				}
			}
			return l.Together(ctx, device)
		},
		Wait: func(ctx context.Context, so func() bool) bool { return l.Wait(ctx, lab.Patience, so) },
		SPIs: func(ctx context.Context) []string { return spis(ctx, tester, role) },
	}
}

// spis are those of the SAs that a tester beside a device of that role has.
func spis(ctx context.Context, tester *lab.Peer, role rule.Role) []string {
	var sas []control.SA
	if role == rule.GM {
		status, _ := tester.KSStatus(ctx)
		for _, g := range status.Groups {
			sas = append(sas, g.SAs...)
		}
	} else {
		status, _ := tester.GMStatus(ctx)
		sas = status.SAs
	}
	all := make([]string, len(sas))
	for i, sa := range sas {
		all[i] = sa.SPI
	}
	return all
}
