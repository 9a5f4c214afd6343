package kit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Session is what one run decides for all its specs. RunSpecs runs once in a process, so there is one.
type Session struct {
	Fabric  lab.Fabric
	Device  *peer.Manifest // nil: peer.Default
	Seed    string
	Mutants []peer.Mutant
	Out     string // folder for evidence; "" keeps none
	Redact  bool
	Command string // how to call this program again, "gdoilab run"
}

var session = Session{Fabric: lab.Memory{}, Seed: "1"}

// state is what a spec gathers while it runs, until its verdict is known.
type state struct {
	lab      *lab.Lab
	controls int
	verdict  verdict.Verdict // set when the outcome is not Ginkgo's to tell
	reason   string
	seed     string
	readings []verdict.Reading
	foreign  *peer.Foreign // on the other side

	pushes []*push
	esp    map[string]*tester.ESPKeys // by SPI; they count their packets
	probes map[string]bool            // packets of uses, which are left out of what is asked since
	probed map[string]uint32          // their highest number, by SPI, if there are windows
}

// current belongs to the spec that runs; it is made afresh by whoever needs it first and forgotten with the spec's report.
var current *state

// enough is set when a run that stops at its first failure has had it.
var enough bool

func gathered() *state {
	if current == nil {
		current = &state{esp: make(map[string]*tester.ESPKeys), probes: make(map[string]bool), probed: make(map[string]uint32)}
	}
	return current
}

// device is the manifest of what is under test.
func (s Session) device() (*peer.Manifest, error) {
	if s.Device != nil {
		return s.Device, nil
	}
	return peer.Default()
}

// Lab builds the network of this spec. The device is the role in the spec's dut label. What the fabric cannot give ends
// the spec as skipped, what the device declares not to have as unsupported, each with the reason; a lab that cannot be built
// is an error of ours.
func Lab(ctx context.Context, setup lab.Setup) *lab.Lab {
	ginkgo.GinkgoHelper()
	return labsOf(&setup, func(env lab.Env) ([]*lab.Lab, error) {
		l, err := lab.New(ctx, env, setup)
		return []*lab.Lab{l}, err
	})[0]
}

// VRFs builds a network like that for each VRF, of which the first members are one device; see lab.VRFs. The evidence is that of the
// first.
func VRFs(ctx context.Context, setup lab.Setup, names ...string) []*lab.Lab {
	ginkgo.GinkgoHelper()
	return labsOf(&setup, func(env lab.Env) ([]*lab.Lab, error) { return lab.VRFs(ctx, env, setup, names...) })
}

// labsOf has networks be built, whose setup it completes, and remembers to close them.
func labsOf(setup *lab.Setup, make func(lab.Env) ([]*lab.Lab, error)) []*lab.Lab {
	ginkgo.GinkgoHelper()
	if enough {
		ginkgo.Skip("left out after a failure")
	}
	report := ginkgo.CurrentSpecReport()
	setup.Device = roleUnderTest(report.Labels())
	fits(report.Labels(), setup.Device)
	id := SpecID(first(labelled(report.Labels(), labelSubject)), report.LeafNodeText)
	gathered().seed = session.Seed
	// Before there is anything to close, since a spec that an interrupt overtakes may no longer ask for it; and with a context,
	// so that an interrupt waits.
	ginkgo.DeferCleanup(func(_ ginkgo.SpecContext) {
		if err := closeLabs(); err != nil {
			gathered().verdict, gathered().reason = verdict.Error, "closing the lab: "+err.Error()
		}
	})
	all, err := build(lab.Env{Fabric: session.Fabric, Seed: session.Seed + "/" + id, Device: session.Device,
		Mutants: session.Mutants, Unsupported: Unsupported, Opens: opens}, make)
	var lacking *lab.Lacking
	if errors.As(err, &lacking) {
		end(verdict.Skipped, lacking.What)
	}
	if err != nil {
		end(verdict.Error, err.Error())
	}
	gathered().lab = all[0]
	return all
}

// fits ends the spec if the fabric or the device lacks what its labels say.
func fits(labels []string, role rule.Role) {
	ginkgo.GinkgoHelper()
	for _, need := range labelled(labels, labelNeeds) {
		if why := session.Fabric.Lacks(lab.Need(need)); why != "" {
			end(verdict.Skipped, why)
		}
	}
	device, err := session.device()
	if err != nil {
		end(verdict.Error, err.Error())
	}
	if why := device.Lacks(role); why != "" {
		end(verdict.Unsupported, why)
	}
	for _, feature := range labelled(labels, labelFeature) {
		if why := device.LacksFeature(feature); why != "" {
			end(verdict.Unsupported, why)
		}
	}
	for _, r := range device.Roles() {
		if why := session.Fabric.CannotStart(r); why != "" && (role == r.Is || role == rule.Both) {
			end(verdict.Skipped, why)
		}
	}
}

// labs are those of the spec under way. The lock is held while one is made or closed, so that whoever closes them waits for
// a spec that was given up and is still at it.
var labs struct {
	sync.Mutex
	open []*lab.Lab
	over bool // no lab is made any more
}

func build(env lab.Env, make func(lab.Env) ([]*lab.Lab, error)) ([]*lab.Lab, error) {
	labs.Lock()
	defer labs.Unlock()
	if labs.over {
		return nil, errors.New("the run is over")
	}
	all, err := make(env)
	if err == nil {
		labs.open = append(labs.open, all...)
	}
	return all, err
}

// closeLabs closes what is open.
func closeLabs() error {
	labs.Lock()
	defer labs.Unlock()
	var errs []error
	for _, l := range labs.open {
		errs = append(errs, l.Close())
	}
	labs.open = nil
	return errors.Join(errs...)
}

// finish closes what a run that was interrupted twice left open: Ginkgo then gives up on what it cleans up.
func finish() error {
	labs.Lock()
	labs.over = true
	labs.Unlock()
	return closeLabs()
}

// Up builds the network, starts every node and waits until all members are registered.
func Up(ctx context.Context, setup lab.Setup) *lab.Lab {
	ginkgo.GinkgoHelper()
	l := Lab(ctx, setup)
	Precondition(l.Up(ctx), "every member registers")
	return l
}

// Precondition ends the spec as inconclusive if what it needs before it can judge was not reached, and as skipped if the fabric cannot
// give it.
func Precondition(err error, what string) {
	ginkgo.GinkgoHelper()
	var lacking *lab.Lacking
	if errors.As(err, &lacking) {
		end(verdict.Skipped, lacking.What)
	}
	if err != nil {
		end(verdict.Inconclusive, fmt.Sprintf("not reached: %s: %v", what, err))
	}
}

// Reached is Precondition for something that is only true or false.
func Reached(ok bool, what string) {
	ginkgo.GinkgoHelper()
	if !ok {
		Precondition(errors.New("it did not come about"), what)
	}
}

// Control states that the device has just done the right thing with an unaltered message: it is alive, and what went
// before was refused and not merely lost. Every negative spec calls it.
func Control(ok bool, what string) {
	ginkgo.GinkgoHelper()
	if !ok {
		ginkgo.Fail("positive control: "+what+": the device did not do it", 1)
	}
	gathered().controls++
}

// Missing ends the spec as skipped because this machine lacks something.
func Missing(what string) {
	ginkgo.GinkgoHelper()
	end(verdict.Skipped, what)
}

// Unsupported ends the spec because the peer's declaration says that it cannot do this.
func Unsupported(declaration string) {
	ginkgo.GinkgoHelper()
	end(verdict.Unsupported, declaration)
}

func end(v verdict.Verdict, reason string) {
	ginkgo.GinkgoHelper()
	gathered().verdict, gathered().reason = v, reason
	if v == verdict.Skipped || v == verdict.Unsupported {
		ginkgo.Skip(reason, 2)
	}
	ginkgo.Fail(reason, 2)
}

// FromEnvironment reads a session for "go test" and "ginkgo" runs: GDOILAB_FABRIC, GDOILAB_DUT, GDOILAB_SEED, GDOILAB_OUT.
func FromEnvironment() (Session, error) {
	s := Session{Fabric: lab.Memory{}, Seed: "1", Out: os.Getenv("GDOILAB_OUT"), Command: "gdoilab run"}
	if seed := os.Getenv("GDOILAB_SEED"); seed != "" {
		s.Seed = seed
	}
	if dut := os.Getenv("GDOILAB_DUT"); dut != "" {
		device, err := peer.Load(dut)
		if err != nil {
			return s, err
		}
		s.Device = device
	}
	name := os.Getenv("GDOILAB_FABRIC")
	if name == "" {
		return s, nil
	}
	fabric, err := FabricByName(name)
	s.Fabric = fabric
	return s, err
}

// FabricByName finds a fabric.
func FabricByName(name string) (lab.Fabric, error) {
	var names []string
	for _, f := range Fabrics() {
		if f.Name() == name {
			return f, nil
		}
		names = append(names, f.Name())
	}
	return nil, fmt.Errorf("there is no fabric %q; there are: %s", name, strings.Join(names, ", "))
}

// Fabrics lists every fabric that this program has.
func Fabrics() []lab.Fabric { return []lab.Fabric{lab.Memory{}, lab.Namespaces{}} }
