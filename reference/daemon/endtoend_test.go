package daemon

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// site is the network of the example configurations: a key server and two gateways on one wire, a host behind each.
//
//	ks 10.0.0.1    gm1 10.0.0.2, 10.1.1.1 --- h1 10.1.1.2    gm2 10.0.0.3, 10.1.2.1 --- h2 10.1.2.2
type site struct {
	ks     *nettest.Space
	gm, h  [2]*nettest.Space
	dir    string
	config map[string]string // by daemon
}

func newSite(t *testing.T) *site {
	t.Helper()
	wire := nettest.NewSwitch(t)
	s := &site{ks: nettest.New(t), dir: t.TempDir(), config: make(map[string]string)}
	wire.Plug(s.ks, "wan0", "10.0.0.1/24")
	for i := range s.gm {
		s.gm[i], s.h[i] = nettest.New(t), nettest.New(t)
		wire.Plug(s.gm[i], "wan0", fmt.Sprintf("10.0.0.%d/24", i+2))
		nettest.Connect(s.gm[i], "lan0", fmt.Sprintf("10.1.%d.1/24", i+1), s.h[i], "eth0", fmt.Sprintf("10.1.%d.2/24", i+1))
		s.h[i].Route("0.0.0.0/0", fmt.Sprintf("10.1.%d.1", i+1))
	}
	s.gm[0].Route("10.1.2.0/24", "10.0.0.3")
	s.gm[1].Route("10.1.1.0/24", "10.0.0.2")
	s.copyExamples(t)
	return s
}

// copyExamples puts configurations and keys beside each other as in fixtures.
func (s *site) copyExamples(t *testing.T) {
	t.Helper()
	for _, name := range []string{"examples/gdoi-ks.yaml", "examples/gdoi-gm1.yaml", "examples/gdoi-gm2.yaml", "keys/ks1.pem"} {
		data, err := fixtures.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s.config[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "gdoi-"), ".yaml")] = path
	}
}

// edit replaces a text in a configuration.
func (s *site) edit(t *testing.T, daemon, old, by string) {
	t.Helper()
	text := readFile(t, s.config[daemon])
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %q", daemon, old)
	}
	if err := os.WriteFile(s.config[daemon], []byte(strings.Replace(text, old, by, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// process is a running daemon.
type process struct {
	t      *testing.T
	p      program
	name   string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	files  string // beginning of the paths of its files
	done   bool
}

// launch starts a daemon of the name "ks", "gm1" or "gm2" in a namespace and waits for its control socket.
func (s *site) launch(t *testing.T, space *nettest.Space, name string, flags ...string) *process {
	t.Helper()
	p := &process{t: t, p: groupMember, name: name, files: filepath.Join(s.dir, name)}
	role := "gm"
	if name == "ks" {
		p.p, role = keyServer, "ks"
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(program, append(flags, "--config", s.config[name], "--control", p.socket(), "--log", p.files+".log", "--keylog", p.files+".keys")...)
	p.cmd.Env = append(os.Environ(), Env+"="+role)
	p.cmd.Stderr = &p.stderr
	space.Do(p.cmd.Start)
	t.Cleanup(func() {
		if !p.done {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			log, _ := os.ReadFile(p.files + ".log")
			t.Logf("%s:\n%s%s", name, log, p.stderr.String())
		}
	})
	waitFor(t, p.socket())
	return p
}

func (p *process) socket() string { return p.files + ".sock" }

// terminate sends SIGTERM and expects a clean end.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.done = true
	if err := p.cmd.Wait(); err != nil || p.stderr.Len() > 0 {
		p.t.Errorf("%s: %v, %s", p.name, err, p.stderr.String())
	}
	if _, err := os.Stat(p.socket()); err == nil {
		p.t.Errorf("%s left its control socket", p.name)
	}
}

// scheduled expects the scheduling policy of every thread.
func (p *process) scheduled(policy uint32) {
	p.t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		p.t.Fatalf("%s: %d threads, %v", p.name, len(threads), err)
	}
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		if attr, err := unix.SchedGetAttr(id, 0); err == nil && attr.Policy != policy { // or it has ended
			p.t.Errorf("%s: thread %d has the scheduling policy %d, want %d", p.name, id, attr.Policy, policy)
		}
	}
}

func (p *process) member() (s control.GMStatus) {
	p.t.Helper()
	askJSON(p.t, p.p, p.socket(), &s, "status", "--json")
	return s
}

// sending returns the SPI under which a member sends, or "".
func (p *process) sending() string {
	for _, sa := range p.member().SAs {
		if sa.Sending {
			return sa.SPI
		}
	}
	return ""
}

// answerEcho answers UDP messages in a namespace until the test ends.
func answerEcho(t *testing.T, space *nettest.Space) {
	t.Helper()
	var conn net.PacketConn
	space.Do(func() (err error) {
		conn, err = net.ListenPacket("udp4", ":7")
		return err
	})
	done := make(chan bool)
	go func() {
		defer close(done)
		buffer := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(buffer[:n], from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
}

const secret = "nobody on the way may read this"

// echo sends a message and reports whether it comes back.
func echo(t *testing.T, space *nettest.Space, to string, patience time.Duration) bool {
	t.Helper()
	var conn net.Conn
	space.Do(func() (err error) {
		conn, err = net.Dial("udp4", to+":7")
		return err
	})
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte(secret)); err != nil {
		return false
	}
	buffer := make([]byte, 2000)
	n, err := conn.Read(buffer)
	return err == nil && string(buffer[:n]) == secret
}

// TestEndToEnd runs the example configurations from registration to the end, by unicast and by multicast rekey.
func TestEndToEnd(t *testing.T) {
	for _, c := range []struct{ name, rekey string }{
		{"unicast", "transport: unicast"},
		{"multicast", "transport: multicast\n      address: 239.192.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.edit(t, "ks", "transport: unicast", c.rekey)
			s.edit(t, "ks", "interval: 10s", "interval: 1s")
			clean := [2]string{leftovers(t, s.gm[0]), leftovers(t, s.gm[1])}
			answerEcho(t, s.h[1])
			ks := s.launch(t, s.ks, "ks")
			gms := [2]*process{s.launch(t, s.gm[0], "gm1"), s.launch(t, s.gm[1], "gm2", "--batch")}
			own, err := unix.SchedGetAttr(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			gms[0].scheduled(own.Policy)
			gms[1].scheduled(unix.SCHED_BATCH)
			tap := s.gm[0].Tap("wan0")
			for _, gm := range gms {
				nettest.Eventually(t, gm.name+" to register", func() bool { return gm.sending() != "" })
			}
			if !echo(t, s.h[0], "10.1.2.2", 5*time.Second) {
				t.Error("no answer through the group")
			}
			transfer(t, s.h[0], s.h[1], "10.1.2.2")
			rekeyWithoutLoss(t, s, ks, gms)
			nothingInClear(t, tap)
			for _, p := range append(gms[:], ks) {
				p.terminate()
			}
			for i, gm := range s.gm {
				if after := leftovers(t, gm); after != clean[i] {
					t.Errorf("gm%d: before\n%s\nafter\n%s", i+1, clean[i], after)
				}
			}
			checkKeyLogs(t, s)
		})
	}
}

// transfer moves data over TCP between hosts that know nothing of the room that ESP takes: the gateway has to tell them.
func transfer(t *testing.T, from, to *nettest.Space, address string) {
	t.Helper()
	var listener net.Listener
	to.Do(func() (err error) {
		listener, err = net.Listen("tcp4", ":80")
		return err
	})
	defer listener.Close()
	data := bytes.Repeat([]byte(secret), 1<<15)
	got := make(chan []byte, 1)
	go func() {
		var all []byte
		if conn, err := listener.Accept(); err == nil {
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			all, _ = io.ReadAll(conn)
			_ = conn.Close()
		}
		got <- all
	}()
	var conn net.Conn
	from.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp4", address+":80", 5*time.Second)
		return err
	})
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write(data); err != nil {
		t.Error(err)
	}
	_ = conn.Close()
	if all := <-got; !bytes.Equal(all, data) {
		t.Errorf("%d of %d octets arrived", len(all), len(data))
	}
}

// rekeyWithoutLoss replaces the keys by an operator's command while messages go to and fro.
func rekeyWithoutLoss(t *testing.T, s *site, ks *process, gms [2]*process) {
	t.Helper()
	before := gms[0].sending()
	if text := ask(t, keyServer, ks.socket(), "rekey"); !strings.Contains(text, "with the SAs") {
		t.Errorf("%q", text)
	}
	lost, sent := 0, 0
	nettest.Eventually(t, "both members to send under new keys", func() bool {
		sent++
		if !echo(t, s.h[0], "10.1.2.2", 2*time.Second) {
			lost++
		}
		return gms[0].sending() != before && gms[1].sending() != before
	})
	if lost > 0 {
		t.Errorf("%d of %d messages were lost during the rekey", lost, sent)
	}
	if a, b := gms[0].sending(), gms[1].sending(); a != b || a == "" {
		t.Errorf("the members send under %q and %q", a, b)
	}
	nettest.Eventually(t, "acknowledgements", func() bool {
		var status control.KSStatus
		askJSON(t, keyServer, ks.socket(), &status, "status", "--json")
		acked := 0
		for _, m := range status.Groups[0].Members {
			if m.EverAcked && m.Acked == status.Groups[0].Sequence {
				acked++
			}
		}
		return acked == 2
	})
}

// nothingInClear looks at what crossed the wire: key management and ESP.
func nothingInClear(t *testing.T, tap *nettest.Tap) {
	t.Helper()
	esp := 0
	for _, p := range tap.IPv4() {
		udp848 := p[9] == unix.IPPROTO_UDP && len(p) > 24 && p[22] == 848>>8 && p[23] == 848&0xff
		switch {
		case bytes.Contains(p, []byte(secret)):
			t.Errorf("in clear: % x", p)
		case p[9] == unix.IPPROTO_ESP:
			esp++
		case p[9] != unix.IPPROTO_IGMP && !udp848:
			t.Errorf("protocol %d on the wire: % x", p[9], p)
		}
	}
	if esp < 2 {
		t.Errorf("%d ESP packets", esp)
	}
}

// leftovers is what a daemon could leave in a namespace.
func leftovers(t *testing.T, space *nettest.Space) string {
	t.Helper()
	var b strings.Builder
	space.Do(func() error {
		rules, err := netlink.RuleList(unix.AF_INET)
		fmt.Fprintln(&b, rules)
		links, _ := netlink.LinkList()
		for _, l := range links {
			fmt.Fprintln(&b, l.Attrs().Name)
		}
		return err
	})
	fmt.Fprintln(&b, space.Setting("ipv4/conf/wan0/forwarding"), space.Setting("ipv4/conf/all/rp_filter"))
	return b.String()
}

// checkKeyLogs finds the same traffic keys with the key server and the members.
func checkKeyLogs(t *testing.T, s *site) {
	t.Helper()
	seen := make(map[string]int)
	for _, name := range []string{"ks", "gm1", "gm2"} {
		entries, err := keylog.Read([]byte(readFile(t, filepath.Join(s.dir, name+".keys"))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		own := make(map[string]bool)
		for _, e := range entries {
			if e.Kind == keylog.KindTraffic && e.CipherKey != "" && !own[e.SPI+e.CipherKey] {
				own[e.SPI+e.CipherKey] = true
				seen[e.SPI+e.CipherKey]++
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d traffic keys, want 2: one of the registration and one of the rekey", len(seen))
	}
	for key, nodes := range seen {
		if nodes != 3 {
			t.Errorf("%d nodes know %s", nodes, key)
		}
	}
}
