// Package routertest has a router for tests: the reference as a daemon in a namespace of its own, of which the rest of the machine has
// no more than a console over SSH, syslog and two ports. Its configuration is empty until somebody types one.
package routertest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/crypto/ssh"
)

// The addresses of the link to the console, of which each test has its own namespace at the other end.
const (
	here    = "198.51.100.1"
	there   = "198.51.100.2"
	console = "22"
	syslogs = "5514"
)

// The interfaces that this machine has to the router, and those that the router has.
const (
	PortWAN, PortLAN, portConsole = "gdr-wan", "gdr-lan", "gdr-con"
	wan, lan, management          = "wan0", "lan0", "mgmt0"
)

const secret = "correct-horse"

// asDaemon is the variable by which a program becomes a daemon, as manifests name it.
const asDaemon = "GDOILAB_DAEMON"

// Role is which daemon the router is.
type Role struct {
	Word    string   // "ks" or "gm"
	WAN     string   // address with prefix
	LAN     string   // address with prefix; "" none
	Gateway []string // further routes of its kernel: prefix via address, in pairs
}

// Start starts the program, which has to become a daemon if its environment says so, as a router, and sets the environment by which manifests find it.
// All of it is gone at the end of the test.
func Start(t *testing.T, program string, role Role) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	alone(t)
	space := newSpace(t)
	t.Cleanup(func() { _ = space.Close() })
	within(t, space, withoutIPv6)
	cable(t, space, portConsole, management)
	cable(t, space, PortWAN, wan)
	within(t, space, func() error { return address("lo", "") })
	within(t, space, func() error { return address(management, there+"/30") })
	within(t, space, func() error { return address(wan, role.WAN) })
	if role.LAN != "" {
		cable(t, space, PortLAN, lan)
		within(t, space, func() error { return address(lan, role.LAN) })
	}
	within(t, space, multicastRoute)
	for i := 0; i+1 < len(role.Gateway); i += 2 {
		within(t, space, func() error { return route(role.Gateway[i], role.Gateway[i+1]) })
	}
	if err := address(portConsole, here+"/30"); err != nil {
		t.Fatal(err)
	}
	host := launch(t, space, program, role.Word)
	for name, value := range map[string]string{
		"GDOILAB_ROUTER": net.JoinHostPort(there, console), "GDOILAB_ROUTER_USER": "admin", "GDOILAB_ROUTER_PASSWORD": secret,
		"GDOILAB_ROUTER_HOST_KEY": host, "GDOILAB_ROUTER_SYSLOG": net.JoinHostPort(here, syslogs),
		"GDOILAB_ROUTER_PORT_WAN": PortWAN, "GDOILAB_ROUTER_PORT_LAN": PortLAN, "GDOILAB_ROUTER_WAN": wan, "GDOILAB_ROUTER_LAN": lan,
	} {
		t.Setenv(name, value)
	}
}

// alone waits until no other test of this machine has a router, whose ports have the same names, and keeps them from it until the test
// ends. The lock is a socket without a file, which is gone with its process.
func alone(t *testing.T) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for ; ; <-again.C {
		l, err := net.Listen("unix", "@gdoilab-routertest")
		if err == nil {
			t.Cleanup(func() { _ = l.Close() })
			return
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

// newSpace makes a namespace without a name.
func newSpace(t *testing.T) netns.NsHandle {
	t.Helper()
	type made struct {
		space netns.NsHandle
		err   error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		space, err := netns.New()
		result <- made{space, err}
	}()
	m := <-result
	if m.err != nil {
		t.Fatal(m.err)
	}
	return m.space
}

// withoutIPv6 keeps quiet what nobody asked for; a kernel may lack it.
func withoutIPv6() error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0o600)
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// within runs a function in the namespace.
func within(t *testing.T, space netns.NsHandle, f func() error) {
	t.Helper()
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := netns.Set(space)
		if err == nil {
			err = f()
		}
		result <- err
	}()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// cable makes a link between this machine and the router. The end here is removed with the test, and the other with it.
func cable(t *testing.T, space netns.NsHandle, here, there string) {
	t.Helper()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: here, MTU: 1500}, PeerName: there, PeerNamespace: netlink.NsFd(space)}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatalf("%s: %v", here, err)
	}
	t.Cleanup(func() {
		if link, err := netlink.LinkByName(here); err == nil {
			_ = netlink.LinkDel(link)
		}
	})
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	within(t, space, func() error { return whole(there) })
}

// whole has an interface send whole packets with whole checksums, as a router does.
func whole(name string) error {
	tool, err := ethtool.NewEthtool()
	if err != nil {
		return err
	}
	defer tool.Close()
	return tool.Change(name, map[string]bool{"tx-checksum-ip-generic": false, "tx-tcp-segmentation": false, "tx-generic-segmentation": false})
}

func address(name, prefix string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if prefix != "" {
		addr, err := netlink.ParseAddr(prefix)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, addr); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}

func route(to, via string) error {
	_, network, err := net.ParseCIDR(to)
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{Dst: network, Gw: net.ParseIP(via)})
}

// multicastRoute sends multicast out of the interface to the group.
func multicastRoute() error {
	link, err := netlink.LinkByName(wan)
	if err != nil {
		return err
	}
	_, groups, err := net.ParseCIDR("224.0.0.0/4")
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{Dst: groups, LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK})
}

// launch starts the daemon in the namespace and waits for its console. It returns its host key.
func launch(t *testing.T, space netns.NsHandle, program, word string) string {
	t.Helper()
	dir := t.TempDir()
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)), "")
	if err != nil {
		t.Fatal(err)
	}
	config, key := filepath.Join(dir, "startup.ios"), filepath.Join(dir, "host.pem")
	for file, data := range map[string][]byte{
		config: []byte("hostname box\nusername admin privilege 15 secret " + secret + "\n"), key: pem.EncodeToMemory(block),
	} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	cmd := exec.Command(program, "--config", config, "--operators", net.JoinHostPort(there, console), "--host-key", key, "--log", filepath.Join(dir, "log"))
	cmd.Env = append(os.Environ(), asDaemon+"="+word)
	cmd.Stdout, cmd.Stderr = &out, &out
	within(t, space, cmd.Start)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("the router: %v: %s", err, out.String())
		}
	})
	await(t, net.JoinHostPort(there, console))
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// await waits until somebody listens.
func await(t *testing.T, address string) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-again.C {
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatal(fmt.Errorf("the router's console at %s does not answer", address))
}
