package lab

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// room is a thread in a node's network namespace with mounts of its own: an empty /run, and perhaps a tree laid over /usr.
// What is started there has the same, and nobody outside sees it. The mounts go when the thread and the last process end.
type room struct {
	work chan func()
	once sync.Once
}

// newRoom makes a room in a network namespace. Over is a folder that is laid over /usr, or "".
func newRoom(space netns.NsHandle, over string) (*room, error) {
	r := &room{work: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its mounts
		err := furnish(space, over)
		made <- err
		if err != nil {
			return
		}
		for f := range r.work {
			f()
		}
	}()
	return r, <-made
}

// furnish moves the calling thread into the room.
func furnish(space netns.NsHandle, over string) error {
	if err := netns.Set(space); err != nil {
		return fmt.Errorf("lab: entering a namespace: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("lab: mounts of its own: %w", err)
	}
	errs := []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"),
	}
	if over != "" {
		errs = append(errs, unix.Mount("overlay", "/usr", "overlay", unix.MS_RDONLY, "lowerdir="+over+":/usr"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("lab: mounts of its own: %w", err)
	}
	return nil
}

// inside runs f in the room.
func (r *room) inside(f func() error) error {
	result := make(chan error)
	r.work <- func() { result <- f() }
	return <-result
}

func (r *room) close() { r.once.Do(func() { close(r.work) }) }
