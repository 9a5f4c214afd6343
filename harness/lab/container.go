package lab

import (
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/gdoilab/gdoilab/harness/peer"
)

// Engine runs containers on this machine. Only a program that asks for one has it: see package container, which registers
// its own.
type Engine interface {
	// Usable returns nil if containers can be run here, and otherwise why not.
	Usable() error
	// Ready returns an error if a device cannot be started for want of its image. One that is to be made is made.
	Ready(ctx context.Context, l *peer.Launch) error
	// Hold starts a container that does nothing but keep a network namespace in which there is a loopback and nothing else.
	Hold(ctx context.Context, b Berth) (Keeper, error)
	// Run starts a device. What it prints is written to out and errOut, all of it before its end is told.
	Run(ctx context.Context, b Berth, l *peer.Launch, out, errOut io.Writer) (Container, error)
	// Reap removes the containers whose owners' marks are of the gone, and returns their names.
	Reap(gone func(mark string) bool) ([]string, error)
}

// Berth is whose a container is, what it is called and whose network namespace it is in.
type Berth struct {
	Owner, Name string
	Network     Keeper // of a device
}

// Keeper is a container with a network namespace of its own.
type Keeper interface {
	ID() string
	// PID is the number of its first process on this machine.
	PID() int
	// Remove ends it, if it has not ended, and leaves nothing of it.
	Remove() error
}

// Container is a device that was started.
type Container interface {
	// PID is the number of its first process on this machine.
	PID() int
	// Ended is closed when that process has ended.
	Ended() <-chan struct{}
	// Signal sends that process a signal. To one that has ended it sends none.
	Signal(s syscall.Signal)
	// File returns the content of a file in it, while it runs and after.
	File(path string) ([]byte, error)
	// Remove ends it, if it has not ended, and leaves nothing of it.
	Remove() error
}

// engine is the registered one.
var engine Engine

// RegisterEngine has containers be run by that engine. It is called from an init function.
func RegisterEngine(e Engine) { engine = e }

// errNoEngine is what is wrong with containers in a program without an engine.
var errNoEngine = errors.New("this program was built without containers; bin/gdoilab has them")

// Find returns an error if the program of a device is not there, or its image. That of a container which is to be made is made,
// where there are containers at all.
func Find(ctx context.Context, l *peer.Launch) error {
	if err := l.Find(); err != nil || l.Vessel == nil || Containers() != nil {
		return err
	}
	return engine.Ready(ctx, l)
}

// Containers returns nil if a device can be a container here, and otherwise why not.
func Containers() error {
	if engine == nil {
		return errNoEngine
	}
	return engine.Usable()
}
