package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
)

// DefaultWithin is how long a driver has for an answer if nothing else is said.
const DefaultWithin = 30 * time.Second

// Client is a Driver that is a program, or whatever else answers requests on a stream of its own. It is safe for concurrent use.
type Client struct {
	name   string
	within time.Duration
	out    io.WriteCloser
	outbox chan []byte
	ended  chan struct{} // closed once nothing more comes

	last   func(why error) []string // what the program printed last on standard error
	mu     sync.Mutex
	next   uint64
	waits  map[uint64]waiting // for answers
	strays []string
}

// waiting is a request under way.
type waiting struct {
	answer chan response // nil: nobody waits for it any more
}

var _ Driver = (*Client)(nil)

// NewClient makes a client of a driver whose answers come from in. Within is how long it has for each, 0 for DefaultWithin. The client ends
// when in does.
func NewClient(name string, in io.Reader, out io.WriteCloser, within time.Duration) *Client {
	if within == 0 {
		within = DefaultWithin
	}
	c := &Client{name: name, within: within, out: out, outbox: make(chan []byte), ended: make(chan struct{}),
		last: func(error) []string { return nil }, waits: make(map[uint64]waiting)}
	go c.read(newLineReader(in))
	go c.write()
	return c
}

// Name returns the driver's name, as it stands in errors.
func (c *Client) Name() string { return c.name }

// mostStrays bounds how many lines that are not understood are kept.
const mostStrays = 20

// Strays returns what the driver wrote that is no answer, the first few of it.
func (c *Client) Strays() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.strays)
}

// Hangup tells the driver that no more requests come.
func (c *Client) Hangup() error { return c.out.Close() }

// read takes answers until there are no more, and then answers what is still waited for.
func (c *Client) read(lines *lineReader) {
	defer close(c.ended)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			c.stray(line, err)
			continue
		}
		c.take(line)
	}
}

// take hands an answer to whom it is for.
func (c *Client) take(line []byte) {
	r, id, err := parseResponse(line)
	if errors.Is(err, errRefused) {
		return
	}
	if err != nil {
		c.stray(line, err)
		return
	}
	c.mu.Lock()
	w, known := c.waits[id]
	delete(c.waits, id)
	c.mu.Unlock()
	switch {
	case !known:
		c.stray(line, errors.New("nobody has asked for it"))
	case w.answer != nil:
		w.answer <- r
	}
}

func (c *Client) stray(line []byte, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.strays) < mostStrays {
		c.strays = append(c.strays, fmt.Sprintf("%s: %s", why, beginning(line)))
	}
}

// write sends what is to be sent. A driver that does not read keeps nobody but this goroutine.
func (c *Client) write() {
	for {
		select {
		case line := <-c.outbox:
			if _, err := c.out.Write(line); err != nil {
				return
			}
		case <-c.ended:
			return
		}
	}
}

// Call sends a request, of a method that the contract has or has not, and waits for its answer, which is decoded into out unless that is nil.
func (c *Client) Call(ctx context.Context, method string, params, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.within, ErrSilent)
	defer cancel()
	id, answer := c.expect()
	line, err := frame(strconv.FormatUint(id, 10), method, params)
	if err != nil {
		c.giveUp(id, false)
		return c.fault(method, err, "")
	}
	if err := c.send(ctx, method, line); err != nil {
		c.giveUp(id, false)
		return err
	}
	select {
	case r := <-answer:
		return c.settled(method, r, out)
	case <-c.ended:
	case <-ctx.Done():
		c.giveUp(id, true)
		return c.fault(method, context.Cause(ctx), c.silence())
	}
	select {
	case r := <-answer: // the last thing that it said
		return c.settled(method, r, out)
	default:
		return c.fault(method, ErrDied, c.silence())
	}
}

// Write sends a line as it is, which need not be a request.
func (c *Client) Write(ctx context.Context, line []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.within, ErrSilent)
	defer cancel()
	return c.send(ctx, "a line", append(slices.Clone(line), '\n'))
}

func (c *Client) send(ctx context.Context, method string, line []byte) error {
	select {
	case c.outbox <- line:
		return nil
	case <-c.ended:
		return c.fault(method, ErrDied, "")
	case <-ctx.Done():
		return c.fault(method, context.Cause(ctx), "it does not read what it is sent")
	}
}

// expect enters a request.
func (c *Client) expect() (uint64, <-chan response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	answer := make(chan response, 1)
	c.waits[c.next] = waiting{answer}
	return c.next, answer
}

// giveUp forgets a request that was not sent. Of one that was, the answer may still come, and the driver is told that nobody waits for it.
func (c *Client) giveUp(id uint64, sent bool) {
	c.mu.Lock()
	if delete(c.waits, id); sent {
		c.waits[id] = waiting{}
	}
	c.mu.Unlock()
	if !sent {
		return
	}
	line, err := frame("", methodCancel, cancelParams{json.RawMessage(strconv.FormatUint(id, 10))})
	if err != nil {
		return
	}
	select {
	case c.outbox <- line:
	case <-c.ended:
	case <-time.After(time.Second): // it does not read
	}
}

func (c *Client) settled(method string, r response, out any) error {
	if message, err := r.outcome(out); err != nil {
		return &Error{Driver: c.name, Method: method, Err: err, Message: message}
	}
	return nil
}

// fault is an error of a driver that does not answer.
func (c *Client) fault(method string, err error, message string) error {
	e := &Error{Driver: c.name, Method: method, Err: err, Message: message}
	if errors.Is(err, ErrDied) || errors.Is(err, ErrSilent) {
		e.Last = c.last(err)
	}
	return e
}

// silence says what may be the reason why an answer was not found.
func (c *Client) silence() string {
	if strays := c.Strays(); len(strays) > 0 {
		return "it wrote what is no answer: " + strays[len(strays)-1]
	}
	return ""
}

// frame makes a line of a request, or of a notification if there is no id.
func frame(id, method string, params any) ([]byte, error) {
	q := request{Version: rpcVersion, ID: json.RawMessage(id), Method: method}
	if params != nil {
		raw, err := json.Marshal(params)
		if err != nil {
			return nil, err
		}
		q.Params = raw
	}
	line, err := json.Marshal(q)
	return append(line, '\n'), err
}
