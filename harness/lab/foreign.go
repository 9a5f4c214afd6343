package lab

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// Workshop is a Net whose nodes have a kernel (NeedKernel): sockets can be opened on them, and programs run that are neither
// a device nor a tester.
type Workshop interface {
	// Socket opens a UDP socket on a node. It is closed with the network.
	Socket(node string, port uint16) (*net.UDPConn, error)
	// Settle starts a foreign peer on a node on which nothing else runs, and waits until it is up. It is stopped with the network.
	Settle(ctx context.Context, node string, f *peer.Foreign, c peer.Conversation) (Foreigner, error)
	// Seat starts a host with ESP in the place of member i, who does not run, and waits until it is up. It is stopped with the
	// network.
	Seat(ctx context.Context, i int, f *peer.Foreign) (ESPHost, error)
}

// exhibit is what foreign peers of every sort have to show.
type exhibit interface {
	Log() []string
	Config() ([]peer.File, error)
}

// Foreigner is a foreign peer at work.
type Foreigner interface {
	// Tell runs the command for that purpose. The error has what it printed.
	Tell(ctx context.Context, purpose string) error
	// Processor is the time that it has had on the machine's processors.
	Processor() (time.Duration, error)
	exhibit
	Stop() error
}

// errNoWorkshop means that a spec without NeedKernel asks for what needs one.
var errNoWorkshop = errors.New("lab: the fabric has no kernel")

// Socket opens a UDP socket on a node (NeedKernel).
func (l *Lab) Socket(node string, port uint16) (*net.UDPConn, error) {
	w, ok := l.Net.(Workshop)
	if !ok {
		return nil, errNoWorkshop
	}
	return w.Socket(node, port)
}

// Settle starts a foreign peer on a node (NeedKernel). What it has to show is kept with the lab.
func (l *Lab) Settle(ctx context.Context, node string, f *peer.Foreign, c peer.Conversation) (Foreigner, error) {
	w, ok := l.Net.(Workshop)
	if !ok {
		return nil, errNoWorkshop
	}
	settled, err := w.Settle(ctx, node, f, c)
	if settled != nil {
		l.foreign = append(l.foreign, settled)
	}
	return settled, err
}

// Remember adds keys of a node that is no peer of the lab to what is kept of it.
func (l *Lab) Remember(entries ...keylog.Entry) { l.remembered = append(l.remembered, entries...) }

// ShowForeign returns the logs of the foreign peers and the configurations that they were started with.
func (l *Lab) ShowForeign() (Shown, error) {
	var all Shown
	var errs []error
	for _, f := range l.foreign {
		config, err := f.Config()
		errs = append(errs, err)
		all.Log = append(all.Log, f.Log()...)
		all.Config = append(all.Config, config...)
	}
	return all, errors.Join(errs...)
}
