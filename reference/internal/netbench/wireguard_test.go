package netbench

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
)

const portWireGuard = 51820

// wireguard is wireguard-go on both gateways.
func wireguard(s *site) {
	s.forward()
	var keys [2]*ecdh.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
			s.b.Fatal(err)
		}
	}
	for i, g := range s.g {
		cmd := s.start(g, room("", os.Getenv("GDOILAB_WIREGUARD"), "-f", "wg0"))
		socket := fmt.Sprintf("/proc/%d/root/run/wireguard/wg0.sock", cmd.Process.Pid)
		s.awaitSocket(socket)
		s.tell(socket, fmt.Sprintf("set=1\nprivate_key=%x\nlisten_port=%d\npublic_key=%x\nendpoint=%s:%d\nallowed_ip=%s\n\n",
			keys[i].Bytes(), portWireGuard, keys[1-i].PublicKey().Bytes(), gateways[1-i], portWireGuard, networks[1-i]))
		g.Do(func() error {
			link, err := netlink.LinkByName("wg0")
			if err != nil {
				return err
			}
			if err := netlink.LinkSetUp(link); err != nil {
				return err
			}
			dst, err := netlink.ParseIPNet(networks[1-i].String())
			if err != nil {
				return err
			}
			return netlink.RouteAdd(&netlink.Route{Dst: dst, LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK})
		})
	}
}

// tell gives wireguard-go its configuration.
func (s *site) tell(socket, text string) {
	s.b.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		s.b.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		s.b.Fatal(err)
	}
	answer := make([]byte, 100)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "errno=0") {
		s.b.Fatalf("wireguard-go: %q, %v", answer[:n], err)
	}
}
