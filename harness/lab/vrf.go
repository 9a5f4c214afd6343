package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// errNoVRF says that a network cannot be one of several of a device.
var errNoVRF = errors.New("lab: no device stands in several networks of this fabric")

// tabled is a Net in which one device may stand together with others.
type tabled interface {
	// Namespace is the path of the network namespace of a node, "" if it has none.
	Namespace(node string) string
	// Table is the node that a device which has been started in another network is in this one, as a member in that VRF.
	Table(device Node, name, vrf string) (Node, error)
}

// VRFs builds a network for each VRF, all of the setup and so with the same addresses. The first member of all of them is one device:
// gm1 of the first network starts and stops it, that of another only is its place in the VRF there. No node runs yet.
func VRFs(ctx context.Context, env Env, setup Setup, names ...string) (labs []*Lab, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, l := range labs {
			err = errors.Join(err, l.Close())
		}
		labs = nil
	}()
	for i, name := range names {
		one, usual := setup, setup.Member
		one.Member = func(i int, c *policy.Member) {
			if usual != nil {
				usual(i, c)
			}
			if i == 1 {
				c.VRF = name
			}
		}
		beside := env
		if i > 0 {
			beside.beside, beside.Seed = labs[0].Net, env.Seed+"/"+name
		}
		l, err := New(ctx, beside, one)
		if err != nil {
			return labs, err
		}
		labs = append(labs, l)
	}
	return labs, join(labs)
}

// join makes one device of the first members.
func join(labs []*Lab) error {
	first := labs[0].GM[0]
	if err := first.hasTables(); err != nil {
		return err
	}
	for _, l := range labs[1:] {
		net, ok := l.Net.(tabled)
		if !ok {
			return errNoVRF
		}
		gm := l.GM[0]
		table := *gm.station.GM
		table.Namespace = net.Namespace(gm.Name())
		first.station.GM.VRFs = append(first.station.GM.VRFs, table)
		first.station.Tables = append(first.station.Tables, Table{l.Net, table.VRF})
		gm.device = first
	}
	return labs[0].supported()
}

// hasTables returns an error if the peer is no device that can stand in several networks.
func (p *Peer) hasTables() error {
	if !p.Device() {
		return fmt.Errorf("lab: %s: %w", p.Name(), errNoVRF)
	}
	d := p.station.Device
	if d.Router() == nil && d.Driver() == nil && d.Container() == nil {
		return nil
	}
	return fmt.Errorf("lab: %w", p.unsupported(fmt.Sprintf("%s is in one network: only a process can open its sockets in several namespaces (%s)", d.Device, d.At)))
}

// UpVRFs starts every node of networks that VRFs has built and waits until all members are registered.
func UpVRFs(ctx context.Context, labs []*Lab) error {
	for _, l := range labs {
		if err := l.KS.Start(ctx); err != nil {
			return err
		}
	}
	for _, l := range labs {
		for _, gm := range l.GM {
			if err := gm.Start(ctx); err != nil {
				return err
			}
		}
	}
	for _, l := range labs {
		for _, gm := range l.GM {
			if err := gm.AwaitRegistered(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// startTable finds the peer's place in a device that runs already.
func (p *Peer) startTable() error {
	net, ok := p.lab.Net.(tabled)
	if !ok || p.device.node == nil {
		return fmt.Errorf("lab: %s: %w", p.Name(), errNoVRF)
	}
	node, err := net.Table(p.device.node, p.Name(), p.station.GM.VRF)
	p.node = node
	return err
}
