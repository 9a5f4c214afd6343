package matrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Options of a matrix.
type Options struct {
	Program  string       // this program, which runs each pair in a process of its own
	Peers    []string     // manifests or names of daemons and hosts; none: all that are built in
	Fabrics  []lab.Fabric // at least one
	Filter   string       // further label expression; "" stands for everything that is about two devices
	Seed     string
	Out      string // folder
	Redact   bool
	Workers  int // of each run; 0: what suits the fabric
	Progress func(done, total int, c verdict.Cell)
}

// runsFolder is where the runs of the pairs are, below Options.Out.
const runsFolder = "pairs"

// encounter is one cell and how it comes about.
type encounter struct {
	verdict.Cell
	ks, gm *party
	fabric lab.Fabric
	cut    bool // its run was interrupted
}

// Run has every pair meet and returns what they came to. The context ends it early, with what is known by then.
func Run(ctx context.Context, o Options) (*verdict.Matrix, error) {
	all, err := parties(o.Peers)
	if err != nil {
		return nil, err
	}
	m := &verdict.Matrix{Start: time.Now(), Seed: o.shownSeed(verdict.Withheld), Filter: o.filter("")}
	var encounters []*encounter
	for _, f := range o.Fabrics {
		m.Fabrics = append(m.Fabrics, f.Name())
		encounters = append(encounters, pairs(all, f)...)
	}
	for i, e := range encounters {
		if ctx.Err() != nil {
			m.Interrupted = true
			break
		}
		e.meet(ctx, o)
		m.Cells, m.Interrupted = append(m.Cells, e.Cell), m.Interrupted || e.cut
		if o.Progress != nil {
			o.Progress(i+1, len(encounters), e.Cell)
		}
	}
	m.Interrupted = m.Interrupted || ctx.Err() != nil
	for _, p := range all {
		m.Peers = append(m.Peers, p.Party)
	}
	m.Seconds = time.Since(m.Start).Seconds()
	return m, nil
}

// pairs are those of one fabric: each device with each, and each daemon with the reference, whose own code is its other side. A host
// meets the reference as a member does.
func pairs(all []*party, f lab.Fabric) (encounters []*encounter) {
	for _, ks := range all {
		for _, gm := range all {
			if ks.Kind == verdict.Host {
				continue
			}
			daemons := 0
			for _, p := range []*party{ks, gm} {
				if p.foreign != nil {
					daemons++
				}
			}
			ours := ks.Name == peer.DefaultName || gm.Name == peer.DefaultName
			if daemons == 0 || daemons == 1 && ours {
				encounters = append(encounters, &encounter{Cell: verdict.NewCell(ks.Name, gm.Name, f.Name()), ks: ks, gm: gm, fabric: f})
			}
		}
	}
	return encounters
}

// meet fills the cell in.
func (e *encounter) meet(ctx context.Context, o Options) {
	if e.ks.foreign != nil || e.gm.foreign != nil {
		e.meetDaemon(ctx, o)
		return
	}
	for _, one := range []struct {
		*party
		as rule.Role
	}{{e.ks, rule.KS}, {e.gm, rule.GM}} {
		v, why, err := one.missing(e.fabric, one.as)
		if err != nil {
			e.Decide(verdict.Error, err.Error())
			return
		}
		if v != "" {
			e.Decide(v, why)
			return
		}
	}
	e.run(ctx, o, o.filter("dut:both"), "--dut-ks", e.ks.named, "--dut-gm", e.gm.named)
}

// meetDaemon has a daemon meet our own side of IKE: as a key server it answers, as a member it begins. A host meets our ESP.
func (e *encounter) meetDaemon(ctx context.Context, o Options) {
	daemon, role := e.ks, rule.GM
	if e.gm.foreign != nil {
		daemon, role = e.gm, rule.KS
	}
	switch why := e.fabric.Lacks(lab.NeedKernel); {
	case daemon.Absent != "":
		e.Decide(verdict.Absent, daemon.Absent)
		return
	case why != "":
		e.Decide(verdict.Skipped, why)
		return
	}
	if daemon.Kind == verdict.Host {
		e.Decide(verdict.Unsupported, daemon.noKeyManagement(), verdict.ScenePhase1, verdict.SceneRegistration, verdict.SceneRekey)
		e.run(ctx, o, o.filter("beside:"+daemon.Name))
		return
	}
	e.Decide(verdict.Unsupported, daemon.noGDOI(), verdict.SceneRegistration, verdict.SceneRekey)
	e.run(ctx, o, o.filter("beside:"+daemon.Name+" && dut:"+role.String()))
}

// filter selects the specs about two devices that one of the pairs has, and of these those that were asked for.
func (o Options) filter(pair string) string {
	parts := []string{"/^scene:/"}
	if pair != "" {
		parts = append(parts, pair)
	}
	if o.Filter != "" {
		parts = append(parts, "("+o.Filter+")")
	}
	return strings.Join(parts, " && ")
}

// shownSeed is the seed, or what stands in its place where keys are left out: they follow from it.
func (o Options) shownSeed(instead string) string {
	if o.Redact {
		return instead
	}
	return o.Seed
}

// run has the specs of the filter run in a process of their own.
func (e *encounter) run(ctx context.Context, o Options, filter string, device ...string) {
	folder := filepath.Join(runsFolder, e.Name())
	args := append([]string{"run", "--fabric", e.fabric.Name(), "--filter", filter, "--seed", o.Seed}, device...)
	e.Repeat = strings.Replace(repeat(args), "--seed "+o.Seed, "--seed "+o.shownSeed("SEED"), 1)
	args = append(args, "--out", filepath.Join(o.Out, folder), "--workers", fmt.Sprint(o.Workers))
	if o.Redact {
		args = append(args, "--redact")
	}
	said, err := call(ctx, o.Program, args)
	report, reading := read(filepath.Join(o.Out, folder, verdict.ReportJSON))
	var exit *exec.ExitError
	switch {
	case reading != nil && ctx.Err() != nil:
		e.Decide(verdict.Error, "interrupted")
	case err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 1) || reading != nil:
		e.Decide(verdict.Error, fmt.Sprintf("the run of the pair came to no report: %v: %s", errors.Join(err, reading), said))
	default:
		e.take(report, filepath.ToSlash(folder))
	}
}

// take fills the cell in from the report of its run.
func (e *encounter) take(report *verdict.Report, folder string) {
	e.Judge(report.Specs, folder)
	e.Seconds, e.cut = report.Seconds, report.Interrupted
	for _, x := range report.Expectations {
		if x.Outcome != verdict.NotSeen {
			e.Expectations = append(e.Expectations, x)
		}
	}
}

// call runs the program. When the context ends it is interrupted, so that it ends in order.
func call(ctx context.Context, program string, args []string) (said string, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stderr = &out
	apart(cmd)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err = cmd.Run()
	return last(out.String()), err
}

// last is the last line of a text.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func read(file string) (*verdict.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return verdict.Read(f)
}

// repeat is a command line that a shell takes apart again.
func repeat(args []string) string {
	words := []string{"gdoilab"}
	for _, a := range args {
		if strings.ContainsAny(a, " &|!()/^") && !strings.Contains(a, "'") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
