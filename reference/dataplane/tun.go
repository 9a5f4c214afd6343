package dataplane

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
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

// openTUN makes a device that lives as long as its file. Without IFF_VNET_HDR the kernel hands over packets with complete
// checksums, and segments of the size that was negotiated instead of the large ones it moves inside.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		_ = unix.Close(fd)
		if errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("device %s is in use; is the daemon running already?", name)
		}
		return nil, fmt.Errorf("device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
