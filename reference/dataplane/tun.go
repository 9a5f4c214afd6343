package dataplane

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxBase is what an interface's name of at most 15 octets leaves beside the ending.
const maxBase = 11

// deviceNames returns the names of the two devices of a daemon, by core.Side. A long name is shortened and told apart by
// a number.
func deviceNames(daemon string) [2]string {
	base := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/:%", r) || r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, daemon)
	if len(base) > maxBase {
		base = fmt.Sprintf("%s%05x", base[:maxBase-5], number(daemon)&0xfffff)
	}
	return [2]string{base + "-in", base + "-out"}
}

// number derives one from a daemon's name, the same at every start.
func number(daemon string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(daemon))
	return h.Sum32()
}

// tun is a device that lives as long as its file. Both ways it moves packets that stand for several; see vnetHeader.
type tun struct {
	file        *os.File
	conn        syscall.RawConn
	segmentsUDP bool // datagrams too
}

func openTUN(name string) (*tun, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	t, err := makeTUN(fd, name)
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, unix.EBUSY):
		err = fmt.Errorf("device %s is in use; is the daemon running already?", name)
	default:
		err = fmt.Errorf("device %s: %w", name, err)
	}
	return nil, errors.Join(err, unix.Close(fd))
}

// Segments of TCP are moved as one, since Linux 6.2 datagrams as well.
const (
	offloadTCP = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	offloadUDP = offloadTCP | unix.TUN_F_USO4 | unix.TUN_F_USO6
)

func makeTUN(fd int, name string) (*tun, error) {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return nil, err
	}
	udp := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadUDP) == nil
	if !udp {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadTCP); err != nil {
			return nil, fmt.Errorf("segmentation: %w", err)
		}
	}
	return newTUN(os.NewFile(uintptr(fd), name), udp)
}

func newTUN(file *os.File, segmentsUDP bool) (*tun, error) {
	conn, err := file.SyscallConn()
	return &tun{file, conn, segmentsUDP}, err
}

// write gives the kernel what a merger has made. What it does not take is lost, as on any link.
func (t *tun) write(b []byte) { _, _ = t.file.Write(b) }

// maxReads is how often a device is read in a row before it is looked whether it has been closed, and for so long a packet waits for
// others that could leave with it.
const maxReads = 64

// read calls each with what the device gives, valid during the call, until the device is closed; then the error is os.ErrClosed. It calls
// idle before it waits, and again and again when there is always something to read.
func (t *tun) read(each func([]byte), idle func()) error {
	buffer := make([]byte, vnetLen+maxAny)
	var failed error
	some := func(fd uintptr) bool {
		defer idle()
		for range maxReads {
			n, err := unix.Read(int(fd), buffer)
			switch {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
			case err != nil:
				failed = err
				return true
			case n == 0:
				failed = io.EOF
				return true
			default:
				each(buffer[:n])
			}
		}
		return true
	}
	for failed == nil {
		if t.conn.Read(some) != nil {
			return os.ErrClosed // all else that could be wrong is in failed
		}
	}
	return failed
}
