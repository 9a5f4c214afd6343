package daemon

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

// base is the configuration of a router before it has a group.
const base = "hostname box\nusername admin privilege 15 secret correct-horse\n"

// group is what an operator types to make it a key server.
const group = `crypto isakmp policy 10
encr aes
hash sha256
authentication pre-share
group 14
crypto isakmp key secret address 0.0.0.0
crypto ipsec transform-set ts esp-gcm 128
crypto ipsec profile p
set transform-set ts
ip access-list extended traffic
permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255
crypto gdoi group lab
identity number 1234
server local
rekey algorithm aes 128
rekey authentication mypubkey rsa lab
rekey transport unicast
sa ipsec 1
profile p
match address ipv4 traffic
exit
address ipv4 127.53.0.1
`

// operate starts a program whose configuration is changed over SSH, and returns what types lines at it in one session.
func operate(t *testing.T, p program, config string) (typing func(lines string) string) {
	t.Helper()
	probe, err := net.ListenPacket("udp4", "127.53.0.1:848")
	if err != nil {
		t.Skip("a router's configuration has no other port: ", err)
	}
	_ = probe.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "base.ios")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	at := freeAddress(t).String()
	stop := serve(t, p, "--config", file, "--operators", at, "--log", filepath.Join(dir, "log"))
	t.Cleanup(func() {
		if code := stop(); code != 0 {
			t.Errorf("exit %d", code)
		}
	})
	var client *ssh.Client
	nettest.Eventually(t, "the console", func() bool {
		client, err = ssh.Dial("tcp", at, &ssh.ClientConfig{User: "admin", Auth: []ssh.AuthMethod{ssh.Password("correct-horse")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		return err == nil
	})
	t.Cleanup(func() { _ = client.Close() })
	return func(lines string) string {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var complaints strings.Builder
		session.Stderr = &complaints
		out, err := session.Output(lines)
		if err != nil {
			t.Error(err, complaints.String())
		}
		return string(out)
	}
}

// says fails unless a text has all of these.
func says(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
}

// A router becomes a key server by its configuration, another one by another, and is none again by that of its start.
func TestRouter(t *testing.T) {
	typing := operate(t, keyServer, base)
	says(t, typing("show running-config\nshow version\nshow crypto gdoi ks"), "hostname box\n", "box, gdoilab reference", "% There is no group")
	says(t, typing("configure terminal\ncrypto key generate rsa general-keys label lab modulus 2048\n"+group+"end\nshow crypto gdoi ks"),
		"Enter configuration commands", "The name for the keys will be: lab", "[OK]", "Group Name", ": lab")
	says(t, typing("show crypto gdoi ks rekey"), "Seq num : 0")

	says(t, typing("copy running-config flash:one\n\nconf t\ncrypto gdoi group lab\nno identity\nidentity number 77\nend\nshow crypto gdoi ks"), "bytes copied", ": 77")
	says(t, typing("configure replace flash:one force\nshow crypto gdoi ks"), "Rollback Done", ": 1234")
	says(t, typing("configure replace nvram:startup-config force\nshow crypto gdoi ks"), "Rollback Done", "% There is no group")
	says(t, typing("configure replace flash:nothing force"), "% Error: there is no copy nothing")
}

// What a router does not take it says at once, and what does not fit together when the operator leaves the mode; then all is as it was.
func TestRouterRefuses(t *testing.T) {
	typing := operate(t, keyServer, base)
	says(t, typing("configure terminal\nfrobnicate\ncrypto isakmp policy many\ncrypto key generate rsa label x modulus 12\nhostname other\nexit\nshow running-config"),
		"% Invalid input detected", `% Error: "many" is no number`, "% Error: write crypto key generate", "hostname other\n")
	got := typing("configure terminal\ncrypto gdoi group lab\nserver local\naddress ipv4 10.0.0.1\nend\nshow running-config")
	says(t, got, "% Error: the group lab has no identity", "% Error: there is no \"crypto isakmp policy\"")
	if strings.Contains(got, "crypto gdoi group") {
		t.Errorf("%s", got)
	}
}

// A member without a network to protect is configured in the same way.
func TestRouterMember(t *testing.T) {
	typing := operate(t, groupMember, base)
	says(t, typing("show crypto gdoi"), "% There is no group")
	says(t, typing(`conf t
crypto isakmp policy 10
encr aes
authentication pre-share
group 14
crypto isakmp key secret address 127.53.0.9
crypto gdoi group lab
identity number 1234
server address ipv4 127.53.0.9
crypto map m 10 gdoi
set group lab
interface lo
ip address 127.53.0.1 255.0.0.0
crypto map m
end
show crypto gdoi`), "Group Identity           : 1234", "Registration status", ": Registering")
}

func TestRouterFlags(t *testing.T) {
	dir := t.TempDir()
	ios, yaml, broken := filepath.Join(dir, "a.ios"), filepath.Join(dir, "a.yaml"), filepath.Join(dir, "broken.ios")
	for file, text := range map[string]string{ios: base, yaml: "", broken: "what\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--operators", "x", "--config", ios}, `--operators: "x" is no address with a port`},
		{[]string{"--operators", "127.0.0.1:0", "--config", yaml}, "is no .ios file"},
		{[]string{"--operators", "127.0.0.1:0", "--config", broken}, "line 1: iosconfig: unknown command"},
		{[]string{"--operators", "127.0.0.1:0", "--config", ios + ".ios"}, "no such file"},
		{[]string{"--operators", "127.0.0.1:0", "--config", ios, "--host-key", broken}, "host_key"},
		{[]string{"--operators", "127.0.0.1:0", "--config", ios, "--host-key", yaml + "x"}, "--host-key: "},
		{[]string{"--config", ios, "--host-key", yaml}, "--host-key is for the console"},
	} {
		var out, stderr strings.Builder
		if code := run(t.Context(), groupMember, c.args, &out, &stderr); code != exitUsage || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, stderr.String())
		}
	}
}
