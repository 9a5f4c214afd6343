package dataplane

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

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
	descriptor
	segmentsUDP bool // datagrams too
}

func openTUN(name string) (*tun, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
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
	return newTUN(fd, name, udp)
}

func newTUN(fd int, name string, segmentsUDP bool) (*tun, error) {
	d, err := newDescriptor(fd, name, unix.Read)
	return &tun{d, segmentsUDP}, err
}

// write gives the kernel what a merger has made. What it does not take is lost, as on any link.
func (t *tun) write(b []byte) { _, _ = t.file.Write(b) }
