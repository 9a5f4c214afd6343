package node

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/vishvananda/netns"
)

// space is a network namespace to which a node returns when it needs a new socket.
type space struct{ handle netns.NsHandle }

// currentSpace remembers the namespace of the calling thread.
func currentSpace() (*space, error) {
	handle, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	return &space{handle}, nil
}

// do calls f in the namespace. If the thread cannot be brought back afterwards it is given up with its goroutine, so that
// nothing else ever runs in the wrong place.
func (s *space) do(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		here, err := netns.Get()
		if err != nil {
			done <- err
			return
		}
		defer here.Close()
		if here.Equal(s.handle) {
			runtime.UnlockOSThread()
			done <- f()
			return
		}
		if err := netns.Set(s.handle); err != nil {
			done <- fmt.Errorf("entering the network namespace: %w", err)
			return
		}
		err = f()
		if netns.Set(here) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

func (s *space) close() error {
	if s == nil || !s.handle.IsOpen() {
		return nil
	}
	return errors.Join(s.handle.Close())
}
