package dataplane

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// descriptor is a device or a socket that one goroutine reads and that others may write. The goroutine waits for it in a system call of
// its own: the runtime's poller would be woken for every packet that comes, even while its reader is busy with those before.
type descriptor struct {
	file *os.File
	conn syscall.RawConn
	get  func(fd int, packet []byte) (int, error) // reads one packet
}

// newDescriptor takes over an open one, which becomes non-blocking.
func newDescriptor(fd int, name string, get func(int, []byte) (int, error)) (descriptor, error) {
	file := os.NewFile(uintptr(fd), name) // while it blocks, or the poller would have it
	if err := unix.SetNonblock(fd, true); err != nil {
		return descriptor{}, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	conn, err := file.SyscallConn()
	return descriptor{file, conn, get}, err
}

// maxReads is how many packets are read in a row before what was kept back of them is sent: for so long a packet waits for others that
// could leave with it.
const maxReads = 64

// read calls each with what it gives, valid during the call, until the stop is given; then the error is os.ErrClosed. It calls idle before
// it waits, and again and again when there is always something to read.
func (d descriptor) read(stop *stop, each func([]byte), idle func()) (err error) {
	buffer := make([]byte, vnetLen+maxAny)
	var waited time.Time // when it last began to
	reading := func(fd, stopped int) {
		for err == nil && !stop.given.Load() {
			err = d.readSome(fd, buffer, each)
			if err == unix.EAGAIN && time.Since(waited) < brisk {
				yield()
				err = d.readSome(fd, buffer, each)
			}
			idle()
			if err == unix.EAGAIN {
				waited = time.Now()
				err = wait(fd, stopped)
			}
		}
	}
	ended := stop.during(func(stopped int) error {
		return d.conn.Read(func(fd uintptr) bool {
			reading(int(fd), stopped)
			return true
		})
	})
	if err == nil && ended == nil {
		return os.ErrClosed
	}
	return errors.Join(ended, err)
}

// brisk is how soon after the last a reader comes to wait again if packets come so fast that it should not.
const brisk = 200 * time.Microsecond

// yield lets others go on who want the processor, such as those whose packets come next: a reader that waits after each packet is woken
// for each, which costs more than to read it. Where packets come slowly it would only make them late.
func yield() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// readSome reads as many packets as are read in a row; the error is EAGAIN if there are no more for now.
func (d descriptor) readSome(fd int, buffer []byte, each func([]byte)) error {
	for range maxReads {
		n, err := d.get(fd, buffer)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		default:
			each(buffer[:n])
		}
	}
	return nil
}

// wait returns when there is something to read, and os.ErrClosed once it is stopped.
func wait(fd, stopped int) error {
	fds := [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(stopped), Events: unix.POLLIN}}
	_, err := unix.Poll(fds[:], -1)
	switch {
	case err == unix.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("poll", err)
	case fds[1].Revents != 0:
		return os.ErrClosed
	}
	return nil
}

// stop ends those who read, once for all.
type stop struct {
	event   *os.File
	conn    syscall.RawConn
	given   atomic.Bool  // for those who do not come to wait, since there is always something to read
	readers sync.RWMutex // held for reading by each
}

func newStop() (*stop, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	file := os.NewFile(uintptr(fd), "stop")
	conn, err := file.SyscallConn()
	return &stop{event: file, conn: conn}, err
}

// during calls f with a descriptor that becomes readable when the stop is given; afterwards it returns os.ErrClosed.
func (s *stop) during(f func(stopped int) error) error {
	s.readers.RLock()
	defer s.readers.RUnlock()
	var err error
	if s.conn.Control(func(fd uintptr) { err = f(int(fd)) }) != nil {
		return os.ErrClosed
	}
	return err
}

// give ends all that read, and returns when they have ended.
func (s *stop) give() error {
	s.given.Store(true)
	_, err := s.event.Write([]byte{0, 0, 0, 0, 0, 0, 0, 1})
	err = errors.Join(err, s.event.Close())
	s.readers.Lock()
	defer s.readers.Unlock()
	return err
}
