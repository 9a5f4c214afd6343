package ssh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	userKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	otherK  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	hostK   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
)

func signer(t *testing.T, key ed25519.PrivateKey) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// echo answers with the line and its mode. "enable" asks for a secret, and "exit" ends the conversation.
func echo(_ context.Context, args control.ConsoleArgs) (control.ConsoleResult, error) {
	r := control.ConsoleResult{Text: "[" + args.Mode + "] " + args.Line + "\n", Mode: args.Mode, Prompt: "gm1>"}
	switch {
	case args.Line == "":
		r.Text = ""
	case args.Line == "fail":
		return r, errors.New("the node is gone")
	case args.Line == "exit":
		r.Mode = control.ConsoleClosed
	case args.Mode == control.ConsolePassword:
		r.Mode = control.ConsoleExec
	case args.Line == "enable":
		r.Mode, r.Prompt = control.ConsolePassword, "Password: "
	case strings.HasSuffix(args.Line, "?"):
		r.Text = "  help for " + args.Line + "\n"
	}
	return r, nil
}

// admitting is what servers ask about sessions.
var admitting func(local, remote netip.AddrPort) bool

// serve starts a server with the user alice, who has a password, and bob, who has a key and may do everything.
func serve(t *testing.T) (address string, host ssh.PublicKey) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(hostK, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Listen(policy.Console{
		SSH: netip.MustParseAddrPort("127.0.0.1:0"), HostKey: string(pem.EncodeToMemory(block)),
		Users: []policy.ConsoleUser{
			{Name: "alice", Password: "secret"},
			{Name: "bob", Keys: []string{string(ssh.MarshalAuthorizedKey(signer(t, userKey).PublicKey()))}, Privileged: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Admits = admitting
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(ctx, echo) }()
	t.Cleanup(func() { cancel(); <-done })
	return s.Addr().String(), signer(t, hostK).PublicKey()
}

func dial(t *testing.T, user string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	t.Helper()
	address, host := serve(t)
	c, err := ssh.Dial("tcp", address, &ssh.ClientConfig{User: user, Auth: auth, HostKeyCallback: ssh.FixedHostKey(host)})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func session1(t *testing.T, user string, auth ssh.AuthMethod) *ssh.Session {
	t.Helper()
	c, err := dial(t, user, auth)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhoGetsIn(t *testing.T) {
	for what, c := range map[string]struct {
		user string
		auth ssh.AuthMethod
		in   bool
	}{
		"a password":            {"alice", ssh.Password("secret"), true},
		"a wrong one":           {"alice", ssh.Password("Secret"), false},
		"none where none is":    {"bob", ssh.Password(""), false},
		"nobody":                {"carol", ssh.Password("secret"), false},
		"a key":                 {"bob", ssh.PublicKeys(signer(t, userKey)), true},
		"somebody else's key":   {"alice", ssh.PublicKeys(signer(t, userKey)), false},
		"a key nobody knows":    {"bob", ssh.PublicKeys(signer(t, otherK)), false},
		"nobody with a key":     {"carol", ssh.PublicKeys(signer(t, userKey)), false},
		"without a word or key": {"alice", ssh.Password(""), false},
	} {
		if _, err := dial(t, c.user, c.auth); (err == nil) != c.in {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Who comes when packets do not pass is hung up on, and so is a session that lasts until they do not.
func TestAdmits(t *testing.T) {
	var closed atomic.Bool
	admitting = func(local, remote netip.AddrPort) bool { return local.IsValid() && remote.IsValid() && !closed.Load() }
	defer func() { admitting = nil }()
	c, err := dial(t, "alice", ssh.Password("secret"))
	if err != nil {
		t.Fatal(err)
	}
	closed.Store(true)
	if _, err := c.NewSession(); err == nil {
		t.Error("a session goes on though packets do not pass")
	}
	if _, err := dial(t, "alice", ssh.Password("secret")); err == nil {
		t.Error("somebody is let in though packets do not pass")
	}
}

// A single command is answered, in the mode in which the user begins; what fails has a status of its own.
func TestCommand(t *testing.T) {
	if out, err := session1(t, "alice", ssh.Password("secret")).Output("show crypto gdoi"); err != nil || string(out) != "[] show crypto gdoi\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := session1(t, "bob", ssh.PublicKeys(signer(t, userKey))).Output("clear crypto gdoi\nyes"); err != nil || string(out) != "[exec] clear crypto gdoi\n[exec] yes\n" {
		t.Errorf("%q, %v", out, err)
	}
	var status *ssh.ExitError
	if _, err := session1(t, "alice", ssh.Password("secret")).Output("fail"); !errors.As(err, &status) || status.ExitStatus() != 1 {
		t.Errorf("%v", err)
	}
}

// shell types lines and reads until the conversation is over.
func shell(t *testing.T, terminal bool, typed string) string {
	t.Helper()
	s := session1(t, "alice", ssh.Password("secret"))
	if terminal {
		if err := s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); err != nil {
			t.Fatal(err)
		}
		if err := s.WindowChange(50, 200); err != nil {
			t.Fatal(err)
		}
	}
	in, err1 := s.StdinPipe()
	out, err2 := s.StdoutPipe()
	if err := errors.Join(err1, err2, s.Shell()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, typed); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestShell(t *testing.T) {
	if got := shell(t, false, "show version\r\nenable\nword\nexit\n"); got != "gm1>[] show version\ngm1>[] enable\nPassword: [password] word\ngm1>[exec] exit\n" {
		t.Errorf("%q", got)
	}
	if got := shell(t, false, strings.Repeat("x", 2*maxLine)+"\n"); got != "gm1>" {
		t.Errorf("%q", got)
	}
}

// On a terminal lines are edited, a question is answered as soon as it is typed, and secrets are not shown.
func TestTerminal(t *testing.T) {
	got := shell(t, true, "shoz\x7fw ?\renable\rhidden?\rexit\r")
	for _, want := range []string{"help for show ?", "[] show ", "[] enable", "[password] hidden?", "[exec] exit"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if strings.Count(got, "hidden") != 1 {
		t.Errorf("the secret is shown: %q", got)
	}
}

// Whoever wants something else is refused, and the rest goes on.
func TestOtherChannels(t *testing.T) {
	c, err := dial(t, "alice", ssh.Password("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Dial("tcp", "127.0.0.1:1"); err == nil {
		t.Error("a way through")
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestSubsystem("sftp"); err == nil {
		t.Error("a subsystem")
	}
	if out, err := s.Output("x"); err != nil || string(out) != "[] x\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// The number of connections is bounded.
func TestFull(t *testing.T) {
	address, _ := serve(t)
	var all []net.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	for range maxClients {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil { // the server has let it in
			t.Fatal(err)
		}
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, c)
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d octets for one too many", n)
	}
}

func TestListenRefuses(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:0")
	for what, c := range map[string]policy.Console{
		"host_key":        {SSH: at, HostKey: "-----BEGIN nothing"},
		"of the user eve": {SSH: at, Users: []policy.ConsoleUser{{Name: "eve", Keys: []string{"ssh-ed25519 AAAA"}}}},
		"listen tcp":      {SSH: netip.MustParseAddrPort("192.0.2.1:1")},
	} {
		if _, err := Listen(c); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s, err := Listen(policy.Console{SSH: at}) // a host key is made
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
