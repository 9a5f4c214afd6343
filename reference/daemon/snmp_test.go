package daemon

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// managed is a key server and a member on the loopback interface, each with an agent, and the sockets by which they can be asked. The
// member has no interface inside, so neither needs privileges.
type managed struct {
	*testing.T
	dir            string
	ks             policy.KeyServer
	gm             policy.Member
	control, agent map[string]string // by role
}

var snmpUser = policy.SNMPUser{Name: "operator", Hash: policy.SNMPSHA256, Password: "authentication", Privacy: "encryption"}

func newManaged(t *testing.T, alter func(*managed)) *managed {
	t.Helper()
	m := &managed{T: t, dir: t.TempDir(), control: make(map[string]string), agent: make(map[string]string)}
	k, err := policy.LoadKeyServer(exampleKS)
	if err != nil {
		t.Fatal(err)
	}
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	k.Profile, k.Address, k.Groups[0].Members = policy.ProfileGETVPN, freeAddress(t), []netip.Prefix{loopback}
	k.Groups[0].Rekey.Margin, k.Groups[0].Rekey.Ack, k.Groups[0].Activation = 0, policy.AckNone, policy.Activation{}
	k.Phase1.PSKs[0].Peer = loopback
	m.ks = k
	m.gm = policy.Member{Name: "gm1", Profile: policy.ProfileGETVPN, Address: freeAddress(t), KeyServers: []netip.AddrPort{k.Address}, Group: 1234, Phase1: k.Phase1}
	m.ks.SNMP, m.gm.SNMP = m.agentOf("ks"), m.agentOf("gm")
	if alter != nil {
		alter(m)
	}
	return m
}

func (m *managed) agentOf(role string) *policy.SNMP {
	at := freeAddress(m.T)
	m.agent[role], m.control[role] = at.String(), filepath.Join(m.dir, role)
	return &policy.SNMP{Listen: at, Community: "public", Users: []policy.SNMPUser{snmpUser}}
}

// run starts both, and returns once the member has registered.
func (m *managed) run() (stopKS, stopGM func() int) {
	m.Helper()
	text, err := policy.MarshalKeyServer(m.ks, "sign.pem")
	if err != nil {
		m.Fatal(err)
	}
	member, err := policy.MarshalMember(m.gm)
	if err != nil {
		m.Fatal(err)
	}
	for file, data := range map[string][]byte{"ks.yaml": text, "sign.pem": policy.SigningKeyPEM(m.ks), "gm.yaml": member} {
		if err := os.WriteFile(filepath.Join(m.dir, file), data, 0o600); err != nil {
			m.Fatal(err)
		}
	}
	stopKS = serve(m.T, keyServer, "--config", filepath.Join(m.dir, "ks.yaml"), "--control", m.control["ks"], "--log", filepath.Join(m.dir, "ks.log"))
	waitFor(m.T, m.control["ks"])
	stopGM = serve(m.T, groupMember, "--config", filepath.Join(m.dir, "gm.yaml"), "--control", m.control["gm"], "--log", filepath.Join(m.dir, "gm.log"))
	waitFor(m.T, m.control["gm"])
	nettest.Eventually(m.T, "the registration", func() bool { return m.member().State == "registered" })
	return stopKS, stopGM
}

func (m *managed) member() (s control.GMStatus) {
	m.Helper()
	askJSON(m.T, groupMember, m.control["gm"], &s, "status", "--json")
	return s
}

// tool runs one of Net-SNMP's programs, numbers for names.
func (m *managed) tool(program, role string, args ...string) (string, error) {
	m.Helper()
	if _, err := exec.LookPath(program); err != nil {
		m.Skipf("%s is not installed (Debian package snmp)", program)
	}
	i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, ".") })
	ctx, cancel := context.WithTimeout(m.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, slices.Concat([]string{"-On", "-Oe", "-r", "1", "-t", "2"}, args[:i], []string{m.agent[role]}, args[i:])...)
	cmd.Env = append(os.Environ(), "MIBS=", "HOME="+m.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const (
	mibRoot = ".1.3.6.1.4.1.9.9.759"
	v2      = "-v2c -c public"
	v3      = "-v3 -l authPriv -u operator -a SHA-256 -x AES"
)

func words(s ...string) []string { return strings.Fields(strings.Join(s, " ")) }

// What Net-SNMP reads from both is what their status says, by both versions.
func TestNetSNMPReadsWhatTheStatusSays(t *testing.T) {
	m := newManaged(t, nil)
	m.run()
	gm, index := m.member(), ".11.4.0.0.4.210.1.4.127.0.0.1"
	spi := func(s string) string {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("Hex-STRING: % X", b)
	}
	want := map[string][]string{
		"ks": {".1.1.1.5.11.4.0.0.4.210 = Gauge32: 1", ".1.2.1.1.4" + index + " = " + spi(gm.Rekey), ".1.2.1.1.6" + index + " = INTEGER: 1",
			".1.3.4.1.2" + index + ".1.1 = " + spi(gm.SAs[0].SPI)},
		"gm": {".1.2.2.1.6" + index + " = Hex-STRING: 7F 00 00 01", ".1.2.2.1.7" + index + " = " + spi(gm.Rekey), ".1.2.2.1.9" + index + " = Counter32: 1",
			".1.3.6.1.2" + index + ".1.1 = " + spi(gm.SAs[0].SPI)},
	}
	for role, lines := range want {
		for _, access := range []string{v2, v3 + " -A authentication -X encryption"} {
			// -Ox: octets that happen to be letters are no text
			out, err := m.tool("snmpwalk", role, append(words(access), "-Ox", mibRoot)...)
			if err != nil {
				t.Fatalf("%s %s: %v\n%s", role, access, err, out)
			}
			for _, line := range lines {
				if !strings.Contains(out, mibRoot+line) {
					t.Errorf("%s by %s has no %q:\n%s", role, access, line, out)
				}
			}
		}
	}
	if out, err := m.tool("snmpbulkwalk", "gm", append(words(v2), mibRoot)...); err != nil || strings.Count(out, "\n") < 60 {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := m.tool("snmpget", "gm", append(words(v2), mibRoot+".1.2.2.1.9"+index)...); err != nil || out != mibRoot+".1.2.2.1.9"+index+" = Counter32: 1\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// Net-SNMP is told why it is refused, and nothing else.
func TestNetSNMPIsRefused(t *testing.T) {
	m := newManaged(t, nil)
	m.run()
	object := mibRoot + ".1.4.1.0"
	for access, want := range map[string]string{
		"-v2c -c private": "Timeout", "-v1 -c public": "Timeout",
		v3 + " -A another_password -X encryption":                                       "Authentication failure",
		v3 + " -A authentication -X another_password":                                   "Authentication failure",
		"-v3 -l authPriv -u stranger -a SHA-256 -x AES -A authentication -X encryption": "Unknown user name",
		"-v3 -l authNoPriv -u operator -a SHA-256 -A authentication":                    "Unsupported security level",
		"-v3 -l authPriv -u operator -a SHA -x AES -A authentication -X encryption":     "Authentication failure",
	} {
		out, err := m.tool("snmpget", "gm", append(words(access), object)...)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, %s, want %q", access, err, out, want)
		}
	}
	if out, err := m.tool("snmpset", "gm", append(words(v2), object, "i", "1")...); err == nil || !strings.Contains(out, "notWritable") {
		t.Errorf("%v, %s", err, out)
	}
}

// A receiver is told of registrations and rekeys, with the objects that go with them.
func TestTraps(t *testing.T) {
	receiver, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	to := receiver.LocalAddr().(*net.UDPAddr).AddrPort()
	m := newManaged(t, func(m *managed) { m.ks.SNMP.Traps, m.gm.SNMP.Traps = []netip.AddrPort{to}, []netip.AddrPort{to} })
	m.run()
	ask(t, keyServer, m.control["ks"], "rekey")
	missing := []string{".1 3", ".2 2", ".3 3", ".5 4", ".6 4", ".8 5"} // with how many bindings
	_ = receiver.SetReadDeadline(time.Now().Add(20 * time.Second))
	reader, message := gosnmp.GoSNMP{Version: gosnmp.Version2c}, make([]byte, 2000)
	for len(missing) > 0 {
		n, err := receiver.Read(message)
		if err != nil {
			t.Fatalf("no traps %v: %v", missing, err)
		}
		trap, err := reader.UnmarshalTrap(message[:n], false)
		if err != nil || trap.PDUType != gosnmp.SNMPv2Trap || trap.Community != "public" || trap.Variables[0].Type != gosnmp.TimeTicks {
			t.Fatalf("%+v, %v", trap, err)
		}
		number, _ := strings.CutPrefix(trap.Variables[1].Value.(string), mibRoot+".0")
		got := fmt.Sprintf("%s %d", number, len(trap.Variables))
		missing = slices.DeleteFunc(missing, func(s string) bool { return s == got })
	}
}

// The hook of a tracked object is run as it goes down at first, up with the registration, and down when the member ends.
func TestTrackHook(t *testing.T) {
	var told string
	m := newManaged(t, func(m *managed) {
		told = filepath.Join(m.dir, "told")
		m.gm.Track = &policy.Track{Number: 99, Hook: []string{"/bin/sh", "-c", `echo "$GDOI_TRACK $GDOI_GROUP $GDOI_STATE" >> "$0"`, told}}
	})
	_, stopGM := m.run()
	nettest.Eventually(t, "the hook", func() bool {
		got, err := os.ReadFile(told) // not there before the hook has run once
		return err == nil && strings.HasSuffix(string(got), "99 1234 up\n")
	})
	stopGM()
	if got := readFile(t, told); got != "99 1234 down\n99 1234 up\n99 1234 down\n" && got != "99 1234 up\n99 1234 down\n" {
		t.Errorf("%q", got)
	}
}

// A hook that fails is logged, and the member goes on.
func TestTrackHookFails(t *testing.T) {
	m := newManaged(t, func(m *managed) {
		m.gm.Track = &policy.Track{Number: 7, Hook: []string{"/bin/sh", "-c", "echo no such route; exit 3"}}
	})
	_, stopGM := m.run()
	nettest.Eventually(t, "the log", func() bool { return strings.Contains(readFile(t, filepath.Join(m.dir, "gm.log")), "TRACK_HOOK_FAILED") })
	if s := m.member(); s.Track != "up" {
		t.Errorf("%+v", s)
	}
	stopGM()
	if log := readFile(t, filepath.Join(m.dir, "gm.log")); !strings.Contains(log, "/bin/sh: exit status 3: no such route") || !strings.Contains(log, "state=\"up\"") {
		t.Error(log)
	}
}

// A hook that hangs is killed, with what it has started.
func TestTrackHookHangs(t *testing.T) {
	held := tracker{limit: 50 * time.Millisecond, hooks: map[uint32][]string{1: {"/bin/sh", "-c", "sleep 3600; true"}}}
	if err := held.hook(core.Track{Group: 1}); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Error(err)
	}
	if err := held.hook(core.Track{Group: 2}); err != nil {
		t.Error(err)
	}
}

func TestAgentAddressInUse(t *testing.T) {
	m := newManaged(t, nil)
	conn, err := net.ListenPacket("udp4", m.agent["ks"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, err := policy.MarshalKeyServer(m.ks, "sign.pem")
	if err != nil {
		t.Fatal(err)
	}
	for file, data := range map[string][]byte{"ks.yaml": text, "sign.pem": policy.SigningKeyPEM(m.ks)} {
		if err := os.WriteFile(filepath.Join(m.dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stderr strings.Builder
	if code := KS(t.Context(), []string{"--config", filepath.Join(m.dir, "ks.yaml")}, &stderr); code != 1 || !strings.Contains(stderr.String(), "address already in use") {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
}
