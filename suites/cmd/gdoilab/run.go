package main

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// runFlags are the flags of "run".
type runFlags struct {
	fabric                         string
	dut, dutKS, dutGM              string
	filter, spec, seed, out        string
	shard, costs                   string
	mutants                        []string
	redact, asJSON, failFast, bare bool
	workers                        int
	shuffle                        bool
	worker, claims                 bool
	parts                          []string
}

// once is a flag that can be given once: of two specs, one would be left out without a word.
type once string

func (o *once) Set(s string) error {
	if *o != "" {
		return errors.New("it is given already; --filter selects several specs")
	}
	*o = once(s)
	return nil
}

func (o *once) String() string { return string(*o) }
func (o *once) Type() string   { return "string" }

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Run specs and write a report",
		Long: `Run the specs that a filter selects against a device and write report.html, report.json, junit.xml and a folder
of evidence for each spec. The device is described by a manifest (docs/peers.md); without --dut it is the reference.
With --dut-ks and --dut-gm the key server and the members are two devices, in specs that are about both as in others.

A filter is a Ginkgo label expression over these labels:
  subject:NAME   req:REQUIREMENT   dut:KS|GM|both   needs:WHAT   feature:WHAT   negative   exhaustive

The fabric "memory" needs no privileges and has a virtual clock. "netns" has a network namespace for every node,
real sockets and a real IP stack; it needs root. "auto" takes netns where it can, and says so if not.

Ctrl-C ends a run in order: the specs under way are cleaned up, the report says what had been done by then and that
the run was interrupted, and the exit status is 1.`,
		Example: `  gdoilab run --filter 'subject:rekey && dut:GM'
  gdoilab run --filter 'req:RFC6407-4.4-02' --fabric netns
  gdoilab run --dut my-router.yaml --fabric netns --filter dut:GM
  gdoilab run --dut-ks my-server.yaml --dut-gm my-router.yaml --fabric netns --filter dut:both
  gdoilab run --spec sequence/drops-a-rekey-whose-seq-equals-the-last --out /tmp/one`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runSpecs(c.OutOrStdout(), c.ErrOrStderr(), f) },
	}
	c.Flags().StringVar(&f.fabric, "fabric", "memory", "what carries the packets: memory, netns or auto")
	c.Flags().StringVar(&f.dut, "dut", peer.DefaultName, "`MANIFEST` of the device under test: a file, or the name of one that is built in")
	c.Flags().StringVar(&f.dutKS, "dut-ks", "", "`MANIFEST` of the key server, if it is another device than --dut")
	c.Flags().StringVar(&f.dutGM, "dut-gm", "", "`MANIFEST` of the members, if they are another device than --dut")
	c.Flags().StringVar(&f.filter, "filter", "", "label expression that selects specs")
	c.Flags().Var((*once)(&f.spec), "spec", "run the spec with this `ID`")
	c.Flags().StringVar(&f.shard, "shard", "", "run only the `I/N`-th part of what the filter selects; \"gdoilab merge\" joins the parts")
	c.Flags().StringVar(&f.costs, "costs", "", "`FILE` with the report.json of an earlier run, by whose times shards are made equally long")
	c.Flags().BoolVar(&f.shuffle, "shuffle", false, "run the specs in an order that the seed decides")
	c.Flags().StringVar(&f.seed, "seed", "1", "decides everything random; the same seed gives the same capture on the memory fabric")
	c.Flags().StringVar(&f.out, "out", "", "folder for the report (default: a new folder in out/, which out/latest then points to)")
	c.Flags().BoolVar(&f.redact, "redact", false, "leave keys and secrets out of everything written")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print report.json instead of progress and table")
	c.Flags().BoolVar(&f.failFast, "fail-fast", false, "stop at the first failure")
	c.Flags().StringArrayVar(&f.mutants, "mutant", nil, "alter a `GUARD=MUTATION` of the device; selftest lists what there is")
	c.Flags().BoolVar(&f.bare, "no-evidence", false, "write nothing")
	c.Flags().IntVar(&f.workers, "workers", 0, "worker processes at once (default: what suits the fabric)")
	c.Flags().BoolVar(&f.worker, "worker", false, "be a worker of another process")
	c.Flags().StringSliceVar(&f.parts, "parts", nil, "as a worker build these parts of the suite only")
	c.Flags().BoolVar(&f.claims, "claims", false, "be one that shares the specs with others")
	_ = c.Flags().MarkHidden("no-evidence")
	_ = c.Flags().MarkHidden("worker")
	_ = c.Flags().MarkHidden("claims")
	_ = c.Flags().MarkHidden("parts")
	_ = c.RegisterFlagCompletionFunc("fabric", completeFabrics)
	for _, name := range []string{"dut", "dut-ks", "dut-gm"} {
		_ = c.RegisterFlagCompletionFunc(name, completeManifests)
	}
	_ = c.RegisterFlagCompletionFunc("filter", completeLabels)
	_ = c.RegisterFlagCompletionFunc("spec", completeSpecs)
	_ = c.RegisterFlagCompletionFunc("mutant", completeMutants)
	_ = c.MarkFlagDirname("out")
	_ = c.MarkFlagFilename("costs", "json")
	return c
}

func runSpecs(out, errOut io.Writer, f runFlags) error {
	s, options, err := prepare(errOut, f)
	if err != nil {
		return err
	}
	if f.worker {
		return kit.Work(s, options, out, os.Stdin)
	}
	if !f.asJSON {
		options.Progress = progress(errOut, f.redact)
	}
	var rows []catalog.Covered
	if !f.bare {
		if rows, _, err = cover("gdoi"); err != nil {
			return err
		}
	}
	run, err := runAll(s, options, f)
	if err != nil {
		return err
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // what was gathered is written now, whatever comes
	run.Tool, run.Version, run.DUT = "gdoilab", version, deviceName(s, f)
	if !f.bare {
		run.Classes = catalog.Count(rows)
	}
	report, err := verdict.NewReport(run)
	if err == nil && !f.bare {
		err = report.Write(s.Out)
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		err = printJSON(out, report)
	} else {
		summarize(out, s, report, f)
	}
	if code := report.Exit(); err == nil && code != 0 {
		return &exitError{code: code}
	}
	return err
}

// prepare checks everything that a user can get wrong before anything is written.
func prepare(errOut io.Writer, f runFlags) (s kit.Session, o kit.Options, err error) {
	o = kit.Options{Filter: f.filter, Spec: f.spec, FailFast: f.failFast, Parts: f.parts}
	if f.spec != "" && f.filter != "" {
		return s, o, errors.New("--spec and --filter exclude each other")
	}
	if _, err := strconv.ParseUint(f.seed, 10, 64); err != nil {
		return s, o, fmt.Errorf("--seed %s: want a whole number", f.seed)
	}
	if f.workers < 0 {
		return s, o, fmt.Errorf("--workers %d: want 1 or more, or 0 for what suits the fabric", f.workers)
	}
	if f.shuffle {
		o.Shuffle = order(f.seed)
	}
	if o.Shard, err = shard(f); err != nil {
		return s, o, err
	}
	if s, err = session(errOut, f); err != nil {
		return s, o, err
	}
	switch o.Worker = f.worker; {
	case !f.worker:
		err = kit.Check(s, o)
	case f.claims:
		o.Claims, err = kit.OpenClaims(os.NewFile(kit.ClaimsFD, "claims"))
	}
	if err == nil && !f.bare {
		s.Out, err = outFolder(f.out)
	}
	return s, o, err
}

// order is what a seed makes of the order of specs: never 0, which is none.
func order(seed string) int64 {
	h := fnv.New64a()
	h.Write([]byte(seed))
	return int64(h.Sum64()>>1 | 1)
}

// shard reads which part of the specs to run.
func shard(f runFlags) (s kit.Shard, err error) {
	switch {
	case f.shard == "" && f.costs != "":
		return s, errors.New("--costs says how to make shards; give --shard too")
	case f.shard == "":
		return s, nil
	case f.spec != "":
		return s, errors.New("--shard and --spec exclude each other")
	}
	if s, err = kit.ParseShard(f.shard); err != nil || f.costs == "" {
		return s, err
	}
	before, err := readFile(f.costs, verdict.Read)
	if err != nil {
		return s, err
	}
	s.Costs = make(map[string]float64)
	for _, spec := range before.Specs {
		s.Costs[spec.ID] = spec.Seconds
	}
	return s, nil
}

// deviceName says what is under test.
func deviceName(s kit.Session, f runFlags) string {
	if len(f.mutants) == 0 {
		return s.Device.Name
	}
	return s.Device.Name + " with " + strings.Join(f.mutants, ", ")
}

func session(errOut io.Writer, f runFlags) (kit.Session, error) {
	s := kit.Session{Seed: f.seed, Redact: f.redact, Command: "gdoilab run"}
	device, err := device(f)
	if err != nil {
		return s, err
	}
	s.Device = device
	s.Command += deviceFlags(f)
	for _, m := range f.mutants {
		guard, mutation, ok := strings.Cut(m, "=")
		if !ok {
			return s, fmt.Errorf("--mutant %s: want GUARD=off, up, down or broken", m)
		}
		if err := checkGuard(guard); err != nil {
			return s, err
		}
		s.Mutants = append(s.Mutants, peer.Mutant{Guard: guard, Mutation: mutation})
		s.Command += " --mutant " + m
	}
	if err := alterable(s); err != nil {
		return s, err
	}
	fabric, err := chooseFabric(errOut, f.fabric)
	if err != nil {
		return s, err
	}
	s.Fabric = fabric
	return s, nil
}

// device loads what is under test: one manifest, or one for each role.
func device(f runFlags) (*peer.Manifest, error) {
	ks, err := peer.Load(cmp.Or(f.dutKS, f.dut))
	if err != nil || f.dutKS == "" && f.dutGM == "" {
		return ks, err
	}
	gm, err := peer.Load(cmp.Or(f.dutGM, f.dut))
	if err != nil {
		return nil, err
	}
	return peer.Pair(ks, gm)
}

// deviceFlags are the flags that name it again.
func deviceFlags(f runFlags) (text string) {
	if f.dut != peer.DefaultName {
		text += " --dut " + f.dut
	}
	if f.dutKS != "" {
		text += " --dut-ks " + f.dutKS
	}
	if f.dutGM != "" {
		text += " --dut-gm " + f.dutGM
	}
	return text
}

// alterable returns an error if the mutants are none, or the device cannot be one.
func alterable(s kit.Session) error {
	if _, err := peer.Switches(s.Mutants); err != nil || len(s.Mutants) == 0 {
		return err
	}
	for _, r := range s.Device.Roles() {
		if why := r.Lacks(peer.Mutants); why != "" {
			return fmt.Errorf("--mutant: %s", why)
		}
	}
	return nil
}

// checkGuard says of a guard that does not exist which names are near it.
func checkGuard(name string) error {
	if _, ok := rule.Find(name); ok {
		return nil
	}
	var names []string
	for _, g := range rule.All() {
		names = append(names, g.Name)
	}
	if near := catalog.Nearest(name, names); len(near) > 0 {
		return fmt.Errorf("there is no guard %q; did you mean %s?", name, strings.Join(near, ", "))
	}
	return fmt.Errorf("there is no guard %q; shell completion lists them", name)
}

// usable is a fabric that may lack privileges.
type usable interface{ Usable() error }

func chooseFabric(errOut io.Writer, name string) (lab.Fabric, error) {
	if name == "auto" {
		fabric, err := kit.FabricByName("netns")
		if u, ok := fabric.(usable); err == nil && ok {
			err = u.Usable()
		}
		if err == nil {
			return fabric, nil
		}
		fmt.Fprintf(errOut, "Using the memory fabric with its virtual clock: %v.\n", err)
		return lab.Memory{}, nil
	}
	fabric, err := kit.FabricByName(name)
	if err != nil {
		return nil, fmt.Errorf("%w, auto", err)
	}
	if u, ok := fabric.(usable); ok {
		err = u.Usable()
	}
	return fabric, err
}
