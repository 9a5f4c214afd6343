// Package nettest makes network namespaces for tests and removes them. They have no names, so that a killed test leaves
// nothing behind. Without the privilege to make them a test is skipped with the reason.
package nettest

import (
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Space is a network namespace with its loopback up and IPv6 off.
type Space struct {
	t      testing.TB
	handle netns.NsHandle
}

// New makes a namespace that lasts as long as the test.
func New(t testing.TB) *Space {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	s := &Space{t: t}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var err error
		s.handle, err = netns.New()
		made <- err
	}()
	if err := <-made; err != nil {
		t.Skipf("no network namespace can be made: %v", err)
	}
	t.Cleanup(func() { _ = s.handle.Close() })
	s.Do(func() error {
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0)
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(lo)
	})
	return s
}

// IPv6 switches IPv6 on for interfaces that are still to come. Their addresses can be used at once, and nobody is asked for
// routes.
func (s *Space) IPv6() *Space {
	s.t.Helper()
	for _, which := range []string{"all", "default"} {
		s.Set("ipv6/conf/"+which+"/accept_dad", "0")
		s.Set("ipv6/conf/"+which+"/accept_ra", "0")
		s.Set("ipv6/conf/"+which+"/router_solicitations", "0")
		s.Set("ipv6/conf/"+which+"/disable_ipv6", "0")
	}
	return s
}

// Do calls f in the namespace and fails the test if f does. It may be called within itself, since each call has a thread
// of its own.
func (s *Space) Do(f func() error) {
	s.t.Helper()
	if err := s.Try(f); err != nil {
		s.t.Fatal(err)
	}
}

// Try calls f in the namespace.
func (s *Space) Try(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := netns.Set(s.handle)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// Connect joins two namespaces by a virtual cable; each end gets a name and an address such as "10.0.0.1/24".
func Connect(a *Space, aName, aAddr string, b *Space, bName, bAddr string) {
	a.t.Helper()
	a.Do(func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: aName}, PeerName: bName, PeerNamespace: netlink.NsFd(b.handle),
		})
	})
	a.raise(aName, aAddr)
	b.raise(bName, bAddr)
	a.awaitCarrier(aName)
	b.awaitCarrier(bName)
}

func (s *Space) raise(name, addr string) {
	s.t.Helper()
	s.Do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		ip, err := netlink.ParseAddr(addr)
		if err != nil {
			return err
		}
		if err := addAddress(link, ip); err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	})
	s.awaitLocal(addr)
}

// Address gives an interface one more address.
func (s *Space) Address(name, addr string) {
	s.t.Helper()
	s.Do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		ip, err := netlink.ParseAddr(addr)
		if err != nil {
			return err
		}
		return addAddress(link, ip)
	})
	s.awaitLocal(addr)
}

// awaitLocal waits until the kernel, which takes its time for those of IPv6, takes packets to an address as its own.
func (s *Space) awaitLocal(addr string) {
	s.t.Helper()
	ip := netip.MustParsePrefix(addr).Addr()
	Eventually(s.t, "address "+addr, func() bool {
		own := false
		s.Do(func() error {
			routes, err := netlink.RouteGet(ip.AsSlice())
			own = err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
			return nil
		})
		return own
	})
}

// addAddress has the kernel not look first whether somebody else has an IPv6 address.
func addAddress(link netlink.Link, ip *netlink.Addr) error {
	if ip.IP.To4() == nil {
		ip.Flags = unix.IFA_F_NODAD
	}
	return netlink.AddrAdd(link, ip)
}

// awaitCarrier waits until the kernel, which takes its time for link events, calls the interface operational.
func (s *Space) awaitCarrier(name string) {
	s.t.Helper()
	Eventually(s.t, "carrier of "+name, func() bool {
		up := false
		s.Do(func() error {
			link, err := netlink.LinkByName(name)
			up = err == nil && link.Attrs().OperState == netlink.OperUp
			return err
		})
		return up
	})
}

// Route adds a route by a gateway.
func (s *Space) Route(to, by string) {
	s.t.Helper()
	s.Do(func() error {
		dst, err := netlink.ParseIPNet(to)
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Dst: dst, Gw: netip.MustParseAddr(by).AsSlice()})
	})
}

// Setting reads a setting of the namespace, such as "ipv4/conf/all/rp_filter".
func (s *Space) Setting(name string) (value string) {
	s.t.Helper()
	s.Do(func() error {
		data, err := os.ReadFile(filepath.Join("/proc/sys/net", name))
		value = string(data)
		return err
	})
	return value
}

// Set changes a setting of the namespace.
func (s *Space) Set(name, value string) {
	s.t.Helper()
	s.Do(func() error { return os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0) })
}

// Eventually asks until the answer is yes, at most for 20 s.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-tick.C
	}
}

// Tap sees every packet on one interface, in both directions.
type Tap struct{ fd int }

// Tap opens a tap, which is closed with the test.
func (s *Space) Tap(name string) *Tap {
	s.t.Helper()
	t := &Tap{fd: -1}
	s.Do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
		if t.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, all&0xffff); err != nil {
			return err
		}
		_ = unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
		return unix.Bind(t.fd, &unix.SockaddrLinklayer{Protocol: all & 0xffff, Ifindex: link.Attrs().Index})
	})
	s.t.Cleanup(func() { _ = unix.Close(t.fd) })
	return t
}

// IPv4 returns the IPv4 packets that were seen since the last call.
func (t *Tap) IPv4() [][]byte { return t.packets(4, 20) }

// IPv6 returns the IPv6 packets that were seen since the last call, but for those that belong to a link alone: from or to
// an address of its scope, and neighbour discovery, whose Hop Limit is 255 (RFC 4861 §7.1).
func (t *Tap) IPv6() [][]byte {
	return slices.DeleteFunc(t.packets(6, 40), func(p []byte) bool {
		from, to := netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
		discovery := p[6] == unix.IPPROTO_ICMPV6 && p[7] == 255
		return discovery || !from.IsGlobalUnicast() || to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast()
	})
}

// packets returns those of one version since the last call; packets of another are lost.
func (t *Tap) packets(version byte, header int) [][]byte {
	var packets [][]byte
	buffer := make([]byte, 1<<17)
	for {
		n, err := unix.Read(t.fd, buffer)
		if err != nil {
			return packets
		}
		if n >= header && buffer[0]>>4 == version {
			packets = append(packets, append([]byte(nil), buffer[:n]...))
		}
	}
}
