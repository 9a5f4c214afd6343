package driver

import (
	"context"
	"encoding/json"
)

// What travels beside the values of the contract.
type (
	namesParams struct {
		Names []string `json:"names"`
	}
	namesResult struct {
		Capabilities map[string]Answer `json:"capabilities"`
	}
	eventsParams struct {
		After int `json:"after"`
	}
	triggerResult struct {
		Answer json.RawMessage `json:"answer"`
	}
	nothing struct{}
)

// Hello calls the method of that name, and so do those that follow.
func (c *Client) Hello(ctx context.Context, g Greeting) (i Identity, err error) {
	return i, c.Call(ctx, MethodHello, g, &i)
}

// Capabilities calls its method.
func (c *Client) Capabilities(ctx context.Context, names []string) (map[string]Answer, error) {
	var r namesResult
	err := c.Call(ctx, MethodCapabilities, namesParams{names}, &r)
	return r.Capabilities, err
}

// Prepare calls its method.
func (c *Client) Prepare(ctx context.Context, p Preparation) error {
	return c.Call(ctx, MethodPrepare, p, nil)
}

// Apply calls its method.
func (c *Client) Apply(ctx context.Context, p Policy) (a Applied, err error) {
	return a, c.Call(ctx, MethodApply, p, &a)
}

// Start calls its method.
func (c *Client) Start(ctx context.Context) error { return c.Call(ctx, MethodStart, nothing{}, nil) }

// Stop calls its method.
func (c *Client) Stop(ctx context.Context) error { return c.Call(ctx, MethodStop, nothing{}, nil) }

// Reset calls its method.
func (c *Client) Reset(ctx context.Context) error { return c.Call(ctx, MethodReset, nothing{}, nil) }

// Trigger calls its method.
func (c *Client) Trigger(ctx context.Context, t Trigger) (json.RawMessage, error) {
	var r triggerResult
	err := c.Call(ctx, MethodTrigger, t, &r)
	return r.Answer, err
}

// State calls its method.
func (c *Client) State(ctx context.Context) (s State, err error) {
	return s, c.Call(ctx, MethodState, nothing{}, &s)
}

// Events calls its method.
func (c *Client) Events(ctx context.Context, after int) (e Events, err error) {
	return e, c.Call(ctx, MethodEvents, eventsParams{after}, &e)
}

// Clock calls its method.
func (c *Client) Clock(ctx context.Context) (t Clock, err error) {
	return t, c.Call(ctx, MethodClock, nothing{}, &t)
}

// Secrets calls its method.
func (c *Client) Secrets(ctx context.Context) (s Secrets, err error) {
	return s, c.Call(ctx, MethodSecrets, nothing{}, &s)
}

// Traffic calls its method.
func (c *Client) Traffic(ctx context.Context) (t Traffic, err error) {
	return t, c.Call(ctx, MethodTraffic, nothing{}, &t)
}

// Collect calls its method.
func (c *Client) Collect(ctx context.Context) (k Collected, err error) {
	return k, c.Call(ctx, MethodCollect, nothing{}, &k)
}
