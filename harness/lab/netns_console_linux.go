package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/control"
)

// types types a line at the console that a process has over SSH. The first one logs in.
func (p *process) types(ctx context.Context, args any) (r control.Response, err error) {
	if p.console == nil {
		if p.console, err = p.logIn(ctx); err != nil {
			return r, fmt.Errorf("%w: %w", errNoAnswer, err)
		}
	}
	result, err := typedAt(ctx, p.console, args)
	if err != nil {
		return r, err
	}
	r.Body, err = json.Marshal(result)
	return r, err
}

// logIn opens a session in the device's namespace.
func (p *process) logIn(ctx context.Context) (s *router.Session, err error) {
	c := p.launch.Console
	err = p.enter(func() (err error) {
		s, err = router.Open(ctx, c.Login, c.Manner)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, line := range c.Begin {
		if _, err := s.Type(ctx, line); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// typedAt is what a console says to an operator's line, also if it does not take it.
func typedAt(ctx context.Context, s *router.Session, args any) (control.ConsoleResult, error) {
	line, ok := args.(control.ConsoleArgs)
	if !ok {
		return control.ConsoleResult{}, fmt.Errorf("lab: arguments of %s are %T", control.Console, args)
	}
	text, err := s.Type(ctx, line.Line)
	if errors.As(err, new(*router.Refusal)) {
		err = nil
	}
	return control.ConsoleResult{Text: text, Mode: line.Mode}, err
}
