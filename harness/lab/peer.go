package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// Peer is one node of a lab as a spec sees it: device and tester alike through wire, log and control socket. Only a
// tester can be told to misbehave. What a device cannot do by its own declaration, it is not asked for: Env.Unsupported.
type Peer struct {
	lab     *Lab
	station Station
	node    Node
	device  *Peer // whose place in a VRF this is; nil: it is a node of its own

	begun   int    // frames that there were when a spec started it last
	proven  pullID // of a registration whose keys the member has been seen to use
	earlier int    // registrations since then that went before a start afresh
	over    int    // registrations since then that the member has been told to forget, or has forgotten

	mu    sync.Mutex // on the netns fabric the tap is called from the node's own goroutine
	tap   core.Tap
	lines []logged // of its log, as far as it was read
}

// newPeer makes a peer that does not run yet. A device that does not play the role is an error.
func newPeer(l *Lab, s Station, device bool) (*Peer, error) {
	p := &Peer{lab: l, station: s}
	if !device {
		p.station.Tap = p.see
		return p, nil
	}
	is := rule.GM
	if s.KS != nil {
		is = rule.KS
	}
	if why := l.env.Device.Lacks(is); why != "" {
		return nil, fmt.Errorf("lab: %s: %w", s.Name, &peer.Unsupported{Declaration: why})
	}
	p.station.Device, p.station.Mutants = l.env.Device.Role(is), l.env.Mutants
	return p, nil
}

// Name returns "ks", "gm1", …
func (p *Peer) Name() string { return p.station.Name }

// Device reports whether this peer is under test.
func (p *Peer) Device() bool { return p.station.Device != nil }

// Can returns an error if the peer is a device that cannot do this by its own declaration.
func (p *Peer) Can(a peer.Ability) error {
	if !p.Device() {
		return nil
	}
	return p.unsupported(p.station.Device.Lacks(a))
}

// Lacks returns the declaration by which the peer lacks a feature, or "" if it has it, as every tester does.
func (p *Peer) Lacks(feature string) string {
	if !p.Device() {
		return ""
	}
	return p.lab.env.Device.Part(p.station.Device.Is).LacksFeature(feature)
}

// unsupported tells of a declaration, unless it is "", and returns it as an error.
func (p *Peer) unsupported(declaration string) error {
	if declaration == "" {
		return nil
	}
	if p.lab.env.Unsupported != nil {
		p.lab.env.Unsupported(declaration)
	}
	return &peer.Unsupported{Declaration: declaration}
}

// Addr returns the peer's address on the WAN.
func (p *Peer) Addr() netip.AddrPort {
	if p.station.KS != nil {
		return p.station.KS.Address
	}
	return p.station.GM.Address
}

// Start brings the peer up.
func (p *Peer) Start(ctx context.Context) error {
	p.begun, p.earlier, p.over, p.proven = len(p.lab.Frames()), 0, 0, pullID{}
	if p.device != nil {
		return p.startTable()
	}
	node, err := p.lab.Net.Start(ctx, p.station)
	var declared *peer.Unsupported
	if errors.As(err, &declared) {
		err = p.unsupported(declared.Declaration)
	}
	if err != nil {
		return fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	p.node = node
	return nil
}

// Stop ends the peer as an operator would.
func (p *Peer) Stop() error {
	if p.node == nil {
		return nil
	}
	return p.node.Stop()
}

func (p *Peer) see(stage core.Stage, o *core.Outgoing) {
	p.mu.Lock()
	tap := p.tap
	p.mu.Unlock()
	tap.See(stage, o)
}

// ErrDevice is returned when a spec asks something of a device that only a tester can do.
var ErrDevice = errors.New("lab: a device under test cannot be told to misbehave")

// Misbehave has the tester's messages go through the tap from now on; nil ends it.
func (p *Peer) Misbehave(tap core.Tap) error {
	if p.Device() {
		return fmt.Errorf("%w: %s", ErrDevice, p.Name())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tap = tap
	return nil
}

// controlAbility begins the name of the ability to take a command.
const controlAbility = "control."

// ask sends a command and decodes the answer into out.
func (p *Peer) ask(ctx context.Context, command string, args, out any) error {
	if err := p.Can(peer.Ability(controlAbility + command)); err != nil {
		return fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	return p.answer(ctx, command, args, out)
}

// answer decodes what the node answers to a command.
func (p *Peer) answer(ctx context.Context, command string, args, out any) error {
	if p.node == nil {
		return fmt.Errorf("lab: %s has not been started", p.Name())
	}
	response, err := p.node.Do(ctx, command, args)
	var declared *peer.Unsupported
	if errors.As(err, &declared) {
		err = p.unsupported(declared.Declaration)
	}
	if err != nil {
		return fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	if response.Error != "" {
		return fmt.Errorf("lab: %s answers %s with: %s", p.Name(), command, response.Error)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(response.Body, out); err != nil {
		return fmt.Errorf("lab: %s answers %s with %q: %w", p.Name(), command, response.Body, err)
	}
	return nil
}

// KSStatus asks a key server for its state.
func (p *Peer) KSStatus(ctx context.Context) (s control.KSStatus, err error) {
	err = p.ask(ctx, control.Status, nil, &s)
	return s, err
}

// GMStatus asks a member for its state.
func (p *Peer) GMStatus(ctx context.Context) (s control.GMStatus, err error) {
	err = p.ask(ctx, control.Status, nil, &s)
	return s, err
}

// KSState is what a key server shows of its state: its status, or what an operator sees of it, which may be less.
func (p *Peer) KSState(ctx context.Context) (s control.KSStatus, err error) {
	err = p.show(ctx, &s)
	return s, err
}

// GMState is KSState of a member.
func (p *Peer) GMState(ctx context.Context) (s control.GMStatus, err error) {
	err = p.show(ctx, &s)
	return s, err
}

// show asks for the state, however the peer shows it.
func (p *Peer) show(ctx context.Context, out any) error {
	if err := p.Can(peer.ReadState); err != nil {
		return fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	return p.answer(ctx, control.Status, nil, out)
}

// Rekey has a key server send a rekey now.
func (p *Peer) Rekey(ctx context.Context, args control.RekeyArgs) (r control.RekeyResult, err error) {
	err = p.ask(ctx, control.Rekey, args, &r)
	return r, err
}

// Exclude has a key server take that member out of its only group. The answer is about the last PUSH that this takes.
func (p *Peer) Exclude(ctx context.Context, member *Peer) (r control.RekeyResult, err error) {
	err = p.ask(ctx, control.Exclude, control.ExcludeArgs{Member: member.Addr().Addr().String()}, &r)
	return r, err
}

// Readmit has a key server let a member register again that it has excluded.
func (p *Peer) Readmit(ctx context.Context, member *Peer) error {
	return p.ask(ctx, control.Readmit, control.ExcludeArgs{Member: member.Addr().Addr().String()}, nil)
}

// Register has a member register again, in all of its groups or in one.
func (p *Peer) Register(ctx context.Context, group ...uint32) error {
	return p.ask(ctx, control.Register, groupArgs(group), nil)
}

// ClearReplay has a member forget what it has counted of repeated packets.
func (p *Peer) ClearReplay(ctx context.Context) error {
	return p.ask(ctx, control.ClearReplay, nil, nil)
}

// SetClock has a peer's time of day be so far ahead of the network's, or behind it.
func (p *Peer) SetClock(ctx context.Context, ahead time.Duration) error {
	at := p.lab.Now().Add(ahead).UTC()
	if p.Offers(peer.ControlClock) || !p.Offers(peer.ControlConsole) {
		return p.ask(ctx, control.Clock, control.ClockArgs{Time: at}, nil)
	}
	_, err := p.Console(ctx, "clock set "+at.Format("15:04:05 2 January 2006"))
	return err
}

// Clear has a member forget its SAs and register afresh, in all of its groups or in one. A device that has no word for it is
// stopped and started, with all of its groups.
func (p *Peer) Clear(ctx context.Context, group ...uint32) error {
	if p.Offers(peer.ControlClear) {
		p.forgets(len(group))
		return p.ask(ctx, control.Clear, groupArgs(group), nil)
	}
	earlier := p.Registrations()
	if err := p.Stop(); err != nil {
		return err
	}
	err := p.Start(ctx)
	p.earlier, p.over = earlier, earlier
	return err
}

// forgets notes how many of the registrations that its log tells of are over when a member is told to forget those in so many of its
// groups, 0 for all. One that tells its state is asked for that instead.
func (p *Peer) forgets(groups int) {
	if p.Offers(peer.ControlStatus) || !p.Tells(registered) {
		return
	}
	p.over = p.Registrations()
	if groups > 0 {
		p.over -= len(p.station.GM.Memberships()) - groups
	}
}

// groupArgs are the arguments of a command about one group, none if it is about all.
func groupArgs(group []uint32) any {
	if len(group) == 0 {
		return nil
	}
	return control.GroupArgs{Group: group[0]}
}

// Alive reports, as an error, that the peer does not answer when it is asked for its state.
func (p *Peer) Alive(ctx context.Context) error { return p.show(ctx, nil) }

// AwaitRegistered waits until the member is registered.
func (p *Peer) AwaitRegistered(ctx context.Context) error {
	p.prove(ctx)
	// What it answers may be ahead of its log, by which registrations are counted, and the log is cheaper to ask.
	silent := func() bool { return p.Tells(registered) && len(p.Logged(registered)) == 0 }
	if p.lab.Wait(ctx, Patience, func() bool { return !silent() && p.Registered(ctx) }) || silent() && p.Registered(ctx) {
		p.prove(ctx) // the registration that led to it may have been another one
		return nil
	}
	err := p.unregistered(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// unregistered says how it is known that the member is not registered.
func (p *Peer) unregistered(ctx context.Context) error {
	switch {
	case p.Offers(peer.ControlStatus):
	case p.Tells(registered):
		return fmt.Errorf("lab: the log of %s does not say that it is registered after %s", p.Name(), Patience)
	default:
		return fmt.Errorf("lab: the wire does not show that %s is registered after %s", p.Name(), Patience)
	}
	s, err := p.GMStatus(ctx)
	if err != nil {
		return fmt.Errorf("lab: %s is not registered after %s: %w", p.Name(), Patience, err)
	}
	return fmt.Errorf("lab: %s is not registered after %s: state %q, refused %v", p.Name(), Patience, s.State, s.Rejects)
}

// Refused returns how often the peer says that it refused something for this requirement.
func (p *Peer) Refused(ctx context.Context, id rule.ID) uint64 {
	var s struct {
		Rejects map[string]uint64 `json:"rejects"`
	}
	if err := p.ask(ctx, control.Status, nil, &s); err != nil {
		return 0
	}
	return s.Rejects[string(id)]
}

// Log returns the peer's syslog lines so far, as they are.
func (p *Peer) Log() []string {
	if err := p.Can(peer.ReadLog); err != nil {
		return nil
	}
	return p.log()
}

// log returns what there is of a log, nothing if the peer keeps none.
func (p *Peer) log() []string {
	if p.node == nil || p.Device() && p.station.Device.Syslog == nil {
		return nil
	}
	return p.node.Log()
}

// logged is a line of the log, as it came and as it was understood.
type logged struct {
	text string
	syslog.Line
	known bool
}

// read understands the whole log. Whoever waits for a line asks for it again and again, so what has been understood is kept.
func (p *Peer) read(events peer.Events) []logged {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := p.log()
	for i, text := range texts {
		if i < len(p.lines) && p.lines[i].text == text {
			continue
		}
		p.lines = p.lines[:i] // the log of a peer that was started anew
		line, known := events.Read(text)
		p.lines = append(p.lines, logged{text, line, known})
	}
	return p.lines[:len(texts):len(texts)]
}

// Logged returns the lines that tell of an event, or of any if it is "".
func (p *Peer) Logged(event string) []syslog.Line {
	if p.Device() && p.unsupported(p.station.Device.LacksEvent(event)) != nil {
		return nil
	}
	events := peer.Events{Own: true}
	if p.Device() {
		events = p.station.Device.Syslog.Events
	}
	var lines []syslog.Line
	for _, l := range p.read(events) {
		if l.known && (event == "" || l.Tag == event) {
			lines = append(lines, l.Line)
		}
	}
	return lines
}

// AwaitLog waits for a line that tells of the event beyond the first n.
func (p *Peer) AwaitLog(ctx context.Context, event string, n int, limit time.Duration) bool {
	return p.lab.Wait(ctx, limit, func() bool { return len(p.Logged(event)) > n })
}

// Keys returns the peer's key log so far.
func (p *Peer) Keys() []keylog.Entry {
	if err := p.Can(peer.ReadKeys); err != nil {
		return nil
	}
	return p.keys()
}

// keys returns what there is of a key log, nothing if the peer keeps none.
func (p *Peer) keys() []keylog.Entry {
	if p.node == nil || p.Device() && p.station.Device.KeyLog == nil {
		return nil
	}
	return p.node.Keys()
}

// Shown is what a peer has to show after a spec, whatever it can be asked for.
type Shown struct {
	Log    []string
	Config []peer.File // of a device
}

// Show returns the peer's log, and the configuration that a device was started with.
func (p *Peer) Show() (Shown, error) {
	shown := Shown{Log: p.log()}
	if p.node == nil || !p.Device() {
		return shown, nil
	}
	config, err := p.node.Config()
	shown.Config = config
	return shown, err
}
