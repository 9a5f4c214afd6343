package operator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// ErrRefused is in the chain of errors that the node itself answered with.
var ErrRefused = errors.New("the node refuses")

// Client is a connection to a control socket. It is not safe for concurrent use.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
	last uint64
}

// Dial connects to the control socket at that path.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	return &Client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// Call sends one command and decodes the body of the answer into answer. Both args and answer may be nil. Errors of the
// node wrap ErrRefused.
func (c *Client) Call(ctx context.Context, command string, args, answer any) error {
	req, err := c.request(command, args)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	resp, err := c.exchange(req)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	if resp.Error != "" {
		return fmt.Errorf("%w: %s", ErrRefused, resp.Error)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(resp.Body, answer)
}

func (c *Client) request(command string, args any) (control.Request, error) {
	c.last++
	req := control.Request{ID: c.last, Command: command}
	if args == nil {
		return req, nil
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return req, fmt.Errorf("operator: arguments of %s: %w", command, err)
	}
	req.Args = raw
	return req, nil
}

// exchange sends the request and waits for the line that answers it.
func (c *Client) exchange(req control.Request) (control.Response, error) {
	if err := json.NewEncoder(c.conn).Encode(req); err != nil {
		return control.Response{}, err
	}
	for {
		line, err := c.in.ReadBytes('\n')
		if err != nil {
			return control.Response{}, err
		}
		var resp control.Response
		if err := json.Unmarshal(line, &resp); err != nil {
			return control.Response{}, err
		}
		if resp.ID == req.ID {
			return resp, nil
		}
	}
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }
