package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// visited is a device that is a router: it has taken a configuration of ours, and goes back to its own when it is stopped.
type visited struct {
	net     *kernelNet
	name    string
	member  bool
	visit   *peer.Visit
	session *router.Session
	log     logSource
	once    sync.Once
}

// visitRouter logs in to a router, has it take its configuration and waits until it has.
func (n *kernelNet) visitRouter(ctx context.Context, s Station) (Node, error) {
	v := &visited{net: n, name: s.Name, member: s.GM != nil}
	if err := v.prepare(s); err != nil {
		return nil, err
	}
	if err := v.enter(ctx, s.Device); err != nil {
		return nil, err
	}
	if err := v.apply(ctx); err != nil {
		return nil, fmt.Errorf("lab: %s does not take its configuration: %w", s.Name, err)
	}
	return v, n.meet(s.Name)
}

// prepare renders what the manifest says.
func (v *visited) prepare(s Station) (err error) {
	i := 1
	for s.GM != nil && MemberName(i) != s.Name {
		i++
	}
	subject := peer.Subject{KS: s.KS, GM: s.GM, Mutants: s.Mutants}
	if subject.Place, err = placeOf(s.Device, v.net.plan, v.member, i); err != nil {
		return err
	}
	usual, err := usually(s)
	if err != nil {
		return err
	}
	if why := s.Device.Ignores(subject, usual); why != "" {
		return &peer.Unsupported{Declaration: why}
	}
	v.visit, err = s.Device.Visit(subject)
	return err
}

// enter logs in and begins to receive the log; from then on the router is stopped with the network.
func (v *visited) enter(ctx context.Context, device *peer.Role) error {
	login, err := device.Router().Reach()
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	v.net.life.Lock()
	defer v.net.life.Unlock()
	if v.net.closed {
		return errClosed
	}
	if v.log, err = v.receive(device.Syslog); err != nil {
		return err
	}
	if v.session, err = router.Open(ctx, login, v.visit.Manner); err != nil {
		return errors.Join(fmt.Errorf("lab: %s (%s): %w", v.name, v.visit.At, err), v.log.close())
	}
	v.net.nodes = append(v.net.nodes, v)
	return nil
}

// receive opens the receiver of the log, in the namespace of this process, where the router's operators are.
func (v *visited) receive(s *peer.Syslog) (logSource, error) {
	if s == nil {
		return noLog{}, nil
	}
	at, err := s.Listen.Value()
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if s.From == peer.SourceTCP {
		return v.net.receiveStream(v.name, at, v.home)
	}
	return v.net.receiveLog(v.name, at, v.home)
}

// apply types the configuration. Of one that is refused nothing is meant to stay.
func (v *visited) apply(ctx context.Context) error {
	if err := v.types(ctx, v.visit.Begin, v.visit.Save); err != nil {
		return err
	}
	if err := v.types(ctx, v.visit.Enter, v.visit.Lines, v.visit.Leave); err != nil {
		return errors.Join(err, v.types(ctx, v.visit.Abandon))
	}
	if v.visit.ReadyLine == nil {
		return nil
	}
	var last string
	var err error
	ready := v.net.Wait(ctx, v.visit.ReadyWithin, func() bool {
		last, err = v.session.Type(ctx, v.visit.Ready)
		return err != nil || slices.ContainsFunc(strings.Split(last, "\n"), v.visit.ReadyLine.MatchString)
	})
	if err == nil && !ready {
		err = fmt.Errorf("no line of %q matches %s after %s; it says %q", v.visit.Ready, v.visit.ReadyLine, v.visit.ReadyWithin, last)
	}
	return err
}

// types types lines up to the first that is refused.
func (v *visited) types(ctx context.Context, lists ...[]string) error {
	for _, line := range slices.Concat(lists...) {
		if _, err := v.session.Type(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

// Do types what stands for the command.
func (v *visited) Do(ctx context.Context, command string, args any) (r control.Response, err error) {
	var answer any
	switch command {
	case control.Status:
		answer, err = v.state(ctx)
	case control.Console:
		answer, err = v.typed(ctx, args)
	case control.Rekey:
		answer, err = v.rekey(ctx, args)
	default:
		answer, err = struct{}{}, v.tell(ctx, command, args)
	}
	var refused *router.Refusal
	if errors.As(err, &refused) {
		return control.Response{Error: refused.Error()}, nil
	}
	if err != nil {
		return r, err
	}
	r.Body, err = json.Marshal(answer)
	return r, err
}

// typed is what the router says to an operator's line, also if it does not take it.
func (v *visited) typed(ctx context.Context, args any) (control.ConsoleResult, error) {
	return typedAt(ctx, v.session, args)
}

func (v *visited) tell(ctx context.Context, command string, args any) error {
	lines, err := v.visit.Tell(command, args)
	if err != nil {
		return err
	}
	return v.types(ctx, lines)
}

// state is what the router shows.
func (v *visited) state(ctx context.Context) (any, error) {
	if v.member {
		return v.shown(ctx, func(found []router.Found) (any, error) { return router.MemberStatus(time.Now(), v.name, found) })
	}
	return v.shown(ctx, func(found []router.Found) (any, error) { return router.KeyServerStatus(time.Now(), v.name, found) })
}

func (v *visited) shown(ctx context.Context, read func([]router.Found) (any, error)) (any, error) {
	answers := make([]string, len(v.visit.Views))
	for i, view := range v.visit.Views {
		text, err := v.session.Type(ctx, view.Command)
		if err != nil {
			return nil, err
		}
		answers[i] = text
	}
	return read(router.Read(v.visit.Views, answers))
}

// keyServer is the state of a key server.
func (v *visited) keyServer(ctx context.Context) (s control.KSStatus, err error) {
	any, err := v.state(ctx)
	if err != nil {
		return s, err
	}
	s, ok := any.(control.KSStatus)
	if !ok {
		return s, fmt.Errorf("lab: %s is no key server", v.name)
	}
	return s, nil
}

// rekey has a key server send a rekey, and finds in its state what became of it.
func (v *visited) rekey(ctx context.Context, args any) (r control.RekeyResult, err error) {
	before, err := v.keyServer(ctx)
	if err != nil {
		return r, err
	}
	if err := v.tell(ctx, control.Rekey, args); err != nil {
		return r, err
	}
	wanted, _ := args.(control.RekeyArgs)
	var lookErr error
	done := v.net.Wait(ctx, Patience, func() bool {
		var after control.KSStatus
		if after, lookErr = v.keyServer(ctx); lookErr != nil {
			return true
		}
		old, now := groupOf(before, wanted.Group), groupOf(after, wanted.Group)
		r = control.RekeyResult{Sequence: now.Sequence, SPIs: newSPIs(old.SAs, now.SAs), Rekey: now.Rekey}
		if old.Rekey != "" && now.Rekey != old.Rekey {
			r.Sequence = old.Sequence + 1 // what brings a KEK is under the one before (RFC 6407 §4.3)
		}
		return now.Sequence != old.Sequence || now.Rekey != old.Rekey
	})
	if lookErr == nil && !done {
		lookErr = fmt.Errorf("lab: %s shows no rekey after %s", v.name, Patience)
	}
	return r, lookErr
}

// groupOf is the group of that number, or the first.
func groupOf(s control.KSStatus, id uint32) control.KSGroup {
	for _, g := range s.Groups {
		if g.ID == id || id == 0 {
			return g
		}
	}
	return control.KSGroup{}
}

// newSPIs are those that were not there before.
func newSPIs(before, now []control.SA) (spis []string) {
	for _, sa := range now {
		had := slices.ContainsFunc(before, func(old control.SA) bool { return old.SPI == sa.SPI })
		if !had && !slices.Contains(spis, sa.SPI) {
			spis = append(spis, sa.SPI)
		}
	}
	return spis
}

// Log returns what the router has sent.
func (v *visited) Log() []string { return v.log.all() }

// Keys is nothing: a router shows no keys.
func (v *visited) Keys() []keylog.Entry { return nil }

// Config is what was typed, and the whole conversation.
func (v *visited) Config() ([]peer.File, error) {
	return []peer.File{
		{Path: "configuration", Content: []byte(strings.Join(v.visit.Lines, "\n") + "\n")},
		{Path: "console", Content: []byte(v.session.Transcript())},
	}, nil
}

// Stop has the router go back to the configuration that it had.
func (v *visited) Stop() (err error) {
	v.once.Do(func() {
		undone := v.types(context.Background(), v.visit.Undo)
		if undone != nil {
			undone = fmt.Errorf("lab: %s does not go back to the configuration that it had: %w", v.name, undone)
		}
		err = errors.Join(undone, v.session.Close(), v.log.close())
	})
	return err
}
