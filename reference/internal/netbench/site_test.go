package netbench

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

// site is two hosts behind two gateways; see the package.
type site struct {
	b   *testing.B
	dir string
	h   [2]*nettest.Space
	g   [2]*nettest.Space

	programs []*exec.Cmd
}

var (
	networks = [2]netip.Prefix{netip.MustParsePrefix("10.1.1.0/24"), netip.MustParsePrefix("10.1.2.0/24")}
	gateways = [2]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}

	behind = ends{"hosts", netip.MustParseAddr("10.1.1.2"), netip.MustParseAddr("10.1.2.2"), func(s *site) [2]*nettest.Space { return s.h }}
	own    = ends{"gateways", netip.MustParseAddr("10.1.1.1"), netip.MustParseAddr("10.1.2.1"), func(s *site) [2]*nettest.Space { return s.g }}
)

// ends are who sends to whom: hosts behind the gateways, or the gateways themselves, by their addresses of the networks that are protected.
type ends struct {
	name     string
	from, to netip.Addr
	of       func(*site) [2]*nettest.Space
}

func newSite(b *testing.B) *site {
	s := &site{b: b, dir: folder(b)}
	for i := range s.g {
		s.h[i], s.g[i] = nettest.New(b), nettest.New(b)
		nettest.Connect(s.h[i], "eth0", fmt.Sprintf("10.1.%d.2/24", i+1), s.g[i], "lan0", fmt.Sprintf("10.1.%d.1/24", i+1))
		s.h[i].Route("0.0.0.0/0", fmt.Sprintf("10.1.%d.1", i+1))
	}
	nettest.Connect(s.g[0], "wan0", gateways[0].String()+"/24", s.g[1], "wan0", gateways[1].String()+"/24")
	return s
}

// route sends the other network's packets to the other gateway.
func (s *site) route() {
	for i := range s.g {
		s.g[i].Route(networks[1-i].String(), gateways[1-i].String())
	}
}

// forward has the gateways' kernels forward.
func (s *site) forward() {
	for _, g := range s.g {
		g.Set("ipv4/ip_forward", "1")
	}
}

// write makes a file of the site and returns its path.
func (s *site) write(name, content string) string {
	path := filepath.Join(s.dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o600)
	}
	if err != nil {
		s.b.Fatal(err)
	}
	return path
}

// start starts a program in a namespace. It ends with the benchmark, and with this process however that ends.
func (s *site) start(space *nettest.Space, cmd *exec.Cmd) *exec.Cmd {
	s.b.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // when the thread ends, which waits for the program
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- space.Try(func() error {
			err := cmd.Start()
			if started <- err; err != nil {
				return err
			}
			return cmd.Wait()
		})
	}()
	if err := <-started; err != nil {
		s.b.Fatal(err)
	}
	s.programs = append(s.programs, cmd)
	s.b.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if s.b.Failed() {
			s.b.Logf("%s:\n%s", cmd, said.String())
		}
	})
	return cmd
}

// room is a command with an empty /run of its own and, unless it is "", a tree laid over /usr.
func room(over string, words ...string) *exec.Cmd {
	script := "mount --make-rprivate / && mount -t tmpfs tmpfs /run"
	if over != "" {
		script += " && mount -t overlay -o ro,lowerdir='" + over + "':/usr overlay /usr"
	}
	return exec.Command("unshare", append([]string{"-m", "sh", "-ec", script + ` && exec "$@"`, "sh"}, words...)...)
}

// awaitSocket waits until somebody listens at a Unix socket.
func (s *site) awaitSocket(path string) {
	s.b.Helper()
	nettest.Eventually(s.b, path, func() bool {
		conn, err := net.Dial("unix", path)
		return err == nil && conn.Close() == nil
	})
}

// awaitPath waits until a datagram crosses from one end to the other.
func (s *site) awaitPath(e ends) {
	s.b.Helper()
	in := s.listen(e)
	defer in.Close()
	out := s.dial(e)
	defer out.Close()
	nettest.Eventually(s.b, "a datagram to cross", func() bool {
		_, _ = out.Write([]byte("anybody there?"))
		_ = in.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _, err := in.ReadFrom(make([]byte, 100))
		return err == nil
	})
}
