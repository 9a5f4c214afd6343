package dataplane

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
)

// maxPacket is the size of the largest packet of a device, and maxAny that of any packet: an IPv6 packet's length does not
// count its header.
const (
	maxPacket = 65535
	maxAny    = maxPacket + ipv6Header
)

// Config says where packets come from. Interface names are looked up in the network namespace of the thread that opens.
type Config struct {
	Name     string         // of the daemon; the devices are called after it
	Inside   []string       // interfaces of the hosts behind the gateway
	Outside  []string       // interfaces of the network that must not read them
	Networks []netip.Prefix // behind the gateway
	// UDPChecksum has ESP in UDP over IPv4 leave with a checksum, which it should not have (RFC 3948 §2.1): without one the kernel does not
	// take several datagrams at once, which is faster by far.
	UDPChecksum bool
}

// Handler takes one IP packet that arrived from a side. The packet is the caller's again after the call, and what is
// emitted is the handler's again after emit.
type Handler func(from core.Side, packet []byte, emit func(to core.Side, packet []byte))

// Device is the open data plane of one gateway.
type Device struct {
	tuns        [2]*tun      // by core.Side
	toSelf      []descriptor // raw sockets for ESP to the gateway's own addresses, one for each outside interface and IP version
	settings    settings
	routing     *routing
	udpChecksum bool
	stop        *stop
	close       sync.Once
	closed      error
}

// Open makes the devices and routes packets into them, in the network namespace of the calling thread. Whatever a killed
// daemon of the same name left behind is replaced. It needs CAP_NET_ADMIN and CAP_NET_RAW.
func Open(cfg Config) (*Device, error) {
	if len(cfg.Inside) == 0 || len(cfg.Outside) == 0 {
		return nil, errors.New("dataplane: an inside and an outside interface are needed")
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("dataplane: %w", err)
	}
	stop, err := newStop()
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("dataplane: %w", err)
	}
	d := &Device{routing: newRouting(handle, cfg), udpChecksum: cfg.UDPChecksum, stop: stop}
	if err := d.open(cfg); err != nil {
		return nil, fmt.Errorf("dataplane: %w", errors.Join(err, d.Close()))
	}
	return d, nil
}

// open closes the way for clear packets before it opens the way through the gateway.
func (d *Device) open(cfg Config) error {
	names := deviceNames(cfg.Name)
	for side, name := range names {
		tun, err := openTUN(name)
		if err != nil {
			return err
		}
		d.tuns[side] = tun
	}
	for _, link := range cfg.Outside {
		if err := d.openToSelf(link); err != nil {
			return err
		}
	}
	if err := d.routing.install(names); err != nil {
		return err
	}
	return d.settings.forwarding(names[:], append(cfg.Inside[:len(cfg.Inside):len(cfg.Inside)], cfg.Outside...))
}

// openToSelf opens the sockets for ESP and AH to the gateway's own addresses on an outside interface.
func (d *Device) openToSelf(link string) error {
	openers := []func(int, string) (descriptor, error){openRaw}
	if speaksIPv6(link) {
		openers = append(openers, openRaw6)
	}
	for _, open := range openers {
		for _, protocol := range []int{unix.IPPROTO_ESP, unix.IPPROTO_AH} {
			socket, err := open(protocol, link)
			if err != nil {
				return err
			}
			d.toSelf = append(d.toSelf, socket)
		}
	}
	return nil
}

// Run hands packets to the handler until the device is closed; then it returns nil. The error is that of a device that
// can no longer be read. The handler is called with the lock held, which is taken once for all that was read at once.
func (d *Device) Run(lock sync.Locker, handle Handler) error {
	var group sync.WaitGroup
	failed := make([]error, len(d.tuns)+len(d.toSelf))
	for side, tun := range d.tuns {
		group.Go(func() { failed[side] = d.pump(tun, core.Side(side), lock, handle) })
	}
	for i, socket := range d.toSelf {
		group.Go(func() { failed[len(d.tuns)+i] = d.pumpSocket(socket, lock, handle) })
	}
	group.Wait()
	return errors.Join(failed...)
}

// pump reads a device. It allocates nothing for a packet.
func (d *Device) pump(tun *tun, from core.Side, lock sync.Locker, handle Handler) error {
	out := d.NewOutlet()
	var splitter splitter
	emit := out.Emit
	each := func(packet []byte) {
		if routed(packet) {
			handle(from, packet, emit)
		}
	}
	read := func(b []byte) {
		header, packet, err := parseVnet(b)
		if err != nil {
			return
		}
		lock.Lock()
		defer lock.Unlock()
		_ = splitter.split(header, packet, each) // what the kernel should not have given is lost
	}
	return d.over(tun.file.Name(), tun.read(d.stop, read, out.Flush))
}

// pumpSocket reads a socket for what is not forwarded.
func (d *Device) pumpSocket(socket descriptor, lock sync.Locker, handle Handler) error {
	out := d.NewOutlet()
	emit := out.Emit
	read := func(packet []byte) {
		if routed(packet) {
			lock.Lock()
			defer lock.Unlock()
			handle(core.Outside, packet, emit)
		}
	}
	return d.over(socket.file.Name(), socket.read(d.stop, read, out.Flush))
}

// over closes the device when a source of packets can no longer be read, as the others have to end too. It returns nil if it is
// closed already.
func (d *Device) over(name string, err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	_ = d.Close()
	return fmt.Errorf("reading %s: %w", name, err)
}

// routed reports whether a packet is one that routers forward. What the kernel itself sends on the link of a device, to
// find neighbours and to report groups, is none (RFC 4291 §2.5.2, §2.5.6, §2.7).
func routed(packet []byte) bool {
	switch {
	case len(packet) == 0:
		return false
	case packet[0]>>4 == 4:
		return true
	case packet[0]>>4 != 6 || len(packet) < ipv6Header:
		return false
	}
	from, to := netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))
	return !from.IsUnspecified() && !from.IsLinkLocalUnicast() &&
		!to.IsLinkLocalUnicast() && !to.IsLinkLocalMulticast() && !to.IsInterfaceLocalMulticast()
}

// Emit gives the kernel a packet to be routed on, as one that comes out of the gateway on that side. A packet that the
// kernel does not take is lost, as on any link.
func (d *Device) Emit(to core.Side, packet []byte) {
	b := make([]byte, vnetLen, vnetLen+len(packet)) // of zeros: the packet stands for itself
	d.tuns[to].write(append(b, packet...))
}

// Close ends Run, removes the devices, rules and routes and puts the kernel's settings back. It may be called from any
// namespace, and more than once.
func (d *Device) Close() error {
	d.close.Do(func() {
		errs := []error{d.settings.restore(), d.routing.remove(), d.stop.give()}
		for _, s := range d.toSelf {
			errs = append(errs, s.file.Close())
		}
		for _, tun := range d.tuns {
			if tun != nil {
				errs = append(errs, tun.file.Close())
			}
		}
		d.closed = errors.Join(errs...)
	})
	return d.closed
}
