package nettest

import (
	"testing"

	"github.com/vishvananda/netlink"
)

// Switch is a bridge in a namespace of its own.
type Switch struct {
	*Space
	ports int
}

// NewSwitch makes a switch without ports.
func NewSwitch(t testing.TB) *Switch {
	t.Helper()
	s := &Switch{Space: New(t)}
	s.Do(func() error {
		bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "switch"}}
		if err := netlink.LinkAdd(bridge); err != nil {
			return err
		}
		return netlink.LinkSetUp(bridge)
	})
	return s
}

// Plug gives a namespace an interface on the switch.
func (s *Switch) Plug(to *Space, name, addr string) {
	s.t.Helper()
	s.ports++
	port := "port" + string(rune('a'+s.ports))
	s.Do(func() error {
		bridge, err := netlink.LinkByName("switch")
		if err != nil {
			return err
		}
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: port, MasterIndex: bridge.Attrs().Index},
			PeerName:  name, PeerNamespace: netlink.NsFd(to.handle),
		})
	})
	s.Do(func() error {
		link, err := netlink.LinkByName(port)
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	})
	to.raise(name, addr)
	to.awaitCarrier(name)
	s.awaitCarrier(port) // a bridge forwards as soon as the kernel calls the port operational
}
