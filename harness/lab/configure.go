package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Configure has a key server go by another policy while it runs: the one that it goes by now, altered. What the policy asks of a device
// that its manifest does not declare ends the spec as unsupported, as at the start.
func (p *Peer) Configure(ctx context.Context, alter func(*policy.KeyServer)) (r control.ConfigureResult, err error) {
	next, err := duplicate(*p.station.KS)
	if err != nil {
		return r, fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	alter(&next)
	before := p.station.KS
	p.station.KS = &next
	if err := p.lab.supported(); err != nil {
		p.station.KS = before
		return r, err
	}
	doc, err := policy.MarshalKeyServer(next, string(policy.SigningKeyPEM(next)))
	if err != nil {
		return r, fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	if err = p.ask(ctx, control.Configure, control.ConfigureArgs{Config: string(doc)}, &r); err != nil {
		p.station.KS = before
	}
	return r, err
}

// TakeKeys has a member have other pre-shared keys while it runs.
func (p *Peer) TakeKeys(ctx context.Context, alter func([]policy.PSK)) error {
	return p.take(ctx, func(next *policy.Member) {
		next.Phase1.PSKs = slices.Clone(next.Phase1.PSKs)
		alter(next.Phase1.PSKs)
	})
}

// TakeJoins has a member join these streams by hand, and no others, while it runs.
func (p *Peer) TakeJoins(ctx context.Context, joins ...policy.Stream) error {
	return p.take(ctx, func(next *policy.Member) { next.Joins = joins })
}

func (p *Peer) take(ctx context.Context, alter func(*policy.Member)) error {
	next := *p.station.GM
	alter(&next)
	doc, err := policy.MarshalMember(next)
	if err != nil {
		return fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	if err := p.ask(ctx, control.Configure, control.ConfigureArgs{Config: string(doc)}, nil); err != nil {
		return err
	}
	p.station.GM = &next
	return nil
}

// duplicate is a configuration that shares nothing with another.
func duplicate(k policy.KeyServer) (policy.KeyServer, error) {
	doc, err := policy.MarshalKeyServer(k, string(policy.SigningKeyPEM(k)))
	if err != nil {
		return k, err
	}
	return policy.ParseKeyServer(k.Name, doc, nil)
}
