package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Serve answers the requests that come from in with a driver's methods, one after the other, until in ends. Then whoever asked is gone, so
// the driver is reset. It returns an error if an answer cannot be written, or the reset fails.
func Serve(ctx context.Context, d Driver, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{driver: d, out: out, requests: make(chan asked), cancelled: make(map[string]context.CancelFunc)}
	go func() {
		defer close(s.requests)
		defer cancel() // whatever is under way: nobody waits for it
		s.read(ctx, newLineReader(in))
	}()
	err := s.work(ctx)
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), DefaultWithin)
	defer done()
	if reset := d.Reset(ctx); !errors.Is(reset, ErrUnsupported) && !errors.Is(reset, ErrNotNow) {
		err = errors.Join(err, reset)
	}
	return err
}

// server is a Serve at work: one goroutine reads, another answers.
type server struct {
	driver   Driver
	out      io.Writer
	requests chan asked

	mu        sync.Mutex
	cancelled map[string]context.CancelFunc // by the ids of what is to be answered
}

// asked is a request, or what is wrong with one.
type asked struct {
	request
	fault *wireError
	ctx   context.Context
}

func (s *server) read(ctx context.Context, lines *lineReader) {
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return
		}
		var a asked
		if a.request, a.fault = parseRequest(line); err != nil {
			a.fault = &wireError{CodeParse, err.Error()}
		}
		if a.fault == nil && a.ID == nil {
			s.note(a.request)
			continue
		}
		a.ctx = s.enter(ctx, a.ID)
		select {
		case s.requests <- a:
		case <-ctx.Done():
			return
		}
	}
}

// enter makes the context of a request.
func (s *server) enter(ctx context.Context, id json.RawMessage) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, s.cancelled[string(id)] = context.WithCancel(ctx)
	return ctx
}

func (s *server) leave(id json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.cancelled[string(id)]; cancel != nil {
		cancel()
	}
	delete(s.cancelled, string(id))
}

// note takes a notification. The only one that is known ends a request before its time.
func (s *server) note(q request) {
	var params cancelParams
	if q.Method != methodCancel || json.Unmarshal(q.Params, &params) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.cancelled[string(bytes.TrimSpace(params.ID))]; cancel != nil {
		cancel()
	}
}

func (s *server) work(ctx context.Context) error {
	var failed error
	for a := range s.requests {
		r := response{Version: rpcVersion, ID: a.ID, Error: a.fault}
		if a.fault == nil {
			r.Result, r.Error = s.answer(a)
		}
		if s.leave(a.ID); r.ID == nil {
			r.ID = null
		}
		line, err := json.Marshal(r)
		if err == nil {
			_, err = s.out.Write(append(line, '\n'))
		}
		if failed = err; failed != nil {
			return fmt.Errorf("driver: answering: %w", failed)
		}
	}
	return nil
}

func (s *server) answer(a asked) (json.RawMessage, *wireError) {
	method := methods[a.Method]
	if method == nil {
		return nil, &wireError{CodeNoMethod, "there is no method " + a.Method}
	}
	result, err := method(a.ctx, s.driver, a.Params)
	var params *paramsError
	switch {
	case errors.As(err, &params):
		return nil, &wireError{CodeParams, err.Error()}
	case err != nil:
		return nil, said(err)
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return nil, &wireError{CodeInternal, err.Error()}
	}
	return raw, nil
}

// said is an error as it travels. What kind it is, the code says.
func said(err error) *wireError {
	code := codeOf(err)
	return &wireError{code, strings.TrimPrefix(err.Error(), errorOf(code).Error()+": ")}
}

// paramsError means that parameters are of another form.
type paramsError struct{ err error }

func (p *paramsError) Error() string { return "parameters: " + p.err.Error() }

// method answers a request.
type method func(ctx context.Context, d Driver, params json.RawMessage) (any, error)

// taking is a method with parameters.
func taking[P any](f func(ctx context.Context, d Driver, p P) (any, error)) method {
	return func(ctx context.Context, d Driver, raw json.RawMessage) (any, error) {
		var p P
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &p); err != nil {
				return nil, &paramsError{err}
			}
		}
		return f(ctx, d, p)
	}
}

// bare is a method without parameters and without a result.
func bare(f func(d Driver, ctx context.Context) error) method {
	return func(ctx context.Context, d Driver, _ json.RawMessage) (any, error) { return nothing{}, f(d, ctx) }
}

// giving is a method without parameters.
func giving[R any](f func(d Driver, ctx context.Context) (R, error)) method {
	return func(ctx context.Context, d Driver, _ json.RawMessage) (any, error) { return f(d, ctx) }
}

var methods = map[string]method{
	MethodHello: taking(func(ctx context.Context, d Driver, g Greeting) (any, error) { return d.Hello(ctx, g) }),
	MethodCapabilities: taking(func(ctx context.Context, d Driver, p namesParams) (any, error) {
		answers, err := d.Capabilities(ctx, p.Names)
		return namesResult{answers}, err
	}),
	MethodPrepare: taking(func(ctx context.Context, d Driver, p Preparation) (any, error) { return nothing{}, d.Prepare(ctx, p) }),
	MethodApply:   taking(func(ctx context.Context, d Driver, p Policy) (any, error) { return d.Apply(ctx, p) }),
	MethodStart:   bare(Driver.Start),
	MethodStop:    bare(Driver.Stop),
	MethodReset:   bare(Driver.Reset),
	MethodTrigger: taking(func(ctx context.Context, d Driver, t Trigger) (any, error) {
		answer, err := d.Trigger(ctx, t)
		return triggerResult{answer}, err
	}),
	MethodState:   giving(Driver.State),
	MethodEvents:  taking(func(ctx context.Context, d Driver, p eventsParams) (any, error) { return d.Events(ctx, p.After) }),
	MethodClock:   giving(Driver.Clock),
	MethodSecrets: giving(Driver.Secrets),
	MethodTraffic: giving(Driver.Traffic),
	MethodCollect: giving(Driver.Collect),
}
