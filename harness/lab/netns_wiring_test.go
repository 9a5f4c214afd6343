package lab

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/router/routertest"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// A router that this machine cannot find is not started, and it says what is missing.
func TestRouterIsNotThere(t *testing.T) {
	m, err := peer.Load("ios-xe")
	if err != nil {
		t.Fatal(err)
	}
	if why := (Namespaces{}).CannotStart(m.GM); !strings.Contains(why, "the environment has no variable GDOILAB_ROUTER") {
		t.Errorf("%q", why)
	}
	for _, name := range []string{"GDOILAB_ROUTER", "GDOILAB_ROUTER_PASSWORD", "GDOILAB_ROUTER_HOST_KEY", "GDOILAB_ROUTER_SYSLOG"} {
		t.Setenv(name, "x")
	}
	t.Setenv("GDOILAB_ROUTER_PORT_WAN", "gdr-none")
	t.Setenv("GDOILAB_ROUTER_PORT_LAN", "gdr-none")
	if why := (Namespaces{}).CannotStart(m.GM); !strings.Contains(why, "this machine has no interface gdr-none") {
		t.Errorf("%q", why)
	}
	if err := (Namespaces{}).Check(m); err != nil {
		t.Error(err)
	}
	if why := (Memory{}).CannotStart(m.GM); why == "" {
		t.Error("a router in memory")
	}
}

// A port that is in use stays where it is, and one that was lent comes back as it was. A router is one node.
func TestPorts(t *testing.T) {
	needKernel(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	routertest.Start(t, program, routertest.Role{Word: "gm", WAN: "192.0.2.21/24", LAN: "10.0.1.1/24"})
	m, err := peer.Load("ios-xe")
	if err != nil {
		t.Fatal(err)
	}
	wire := func(setup Setup) error {
		l, err := New(t.Context(), Env{Fabric: Namespaces{}, Seed: "1", Device: m}, setup)
		if err == nil {
			err = l.Close()
		}
		return err
	}
	if err := wire(Setup{Device: rule.GM, Hosts: true}); err != nil {
		t.Error(err)
	}
	link, err := netlink.LinkByName(routertest.PortWAN)
	if err != nil || link.Attrs().Promisc != 0 || link.Attrs().OperState == netlink.OperDown {
		t.Fatalf("%+v, %v", link, err)
	}
	addr, err := netlink.ParseAddr("203.0.113.1/30")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		t.Fatal(err)
	}
	if err := wire(Setup{Device: rule.GM}); err == nil || !strings.Contains(err.Error(), "it has the address 203.0.113.1/30") {
		t.Error(err)
	}
	var declared *peer.Unsupported
	if err := wire(Setup{Device: rule.Both, Members: 2}); !errors.As(err, &declared) || !strings.Contains(declared.Declaration, "is one router") {
		t.Error(err)
	}
	if left := ours(t); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
