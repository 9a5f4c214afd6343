package lab

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// consoleOverSSH is what a manifest says of it.
const consoleOverSSH = `    console:
      ssh: {address: "127.0.0.1:2222", user: a, password: {environment: R_PASSWORD}, host_key: {environment: R_HOST_KEY}}
      prompt: '^[\w-]+[>#]$'
      answers: [{to: 'Password: $', secret: {environment: R_PASSWORD}}, {to: '\[yes/no\]: $', with: "yes"}]
      begin: [terminal length 0, enable]
    keylog:`

// A process whose console is over SSH is asked there.
func TestConsoleOverSSH(t *testing.T) {
	needKernel(t)
	text, err := fixtures.FS.ReadFile("peers/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))
	block, err1 := ssh.MarshalPrivateKey(key, "")
	signer, err2 := ssh.NewSignerFromKey(key)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	t.Setenv("R_PASSWORD", "open-sesame")
	t.Setenv("R_HOST_KEY", string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	m, err := peer.Parse("m.yaml", []byte(strings.ReplaceAll(string(text), "    keylog:", consoleOverSSH)))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	l, err := New(ctx, Env{Fabric: Namespaces{}, Seed: "1", Device: m}, Setup{Device: rule.GM, Profile: policy.ProfileGETVPN, Member: func(_ int, c *policy.Member) {
		c.Console = policy.Console{HostKey: string(pem.EncodeToMemory(block)), Enable: "open-sesame", Users: []policy.ConsoleUser{{Name: "a", Password: "open-sesame"}}}
		c.Console.SSH = netip.MustParseAddrPort("127.0.0.1:2222")
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	gm := l.GM[0]
	if a, err := gm.Console(ctx, "show crypto gdoi"); err != nil || len(a.SPIs()) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := gm.Console(ctx, "clear crypto gdoi"); err != nil {
		t.Error(err)
	}
	if a, err := gm.Console(ctx, "show nonsense"); err == nil {
		t.Errorf("%+v", a)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	shown, err := gm.Show()
	if err != nil || len(shown.Config) != 2 || shown.Config[1].Path != "console" || strings.Contains(string(shown.Config[1].Content), "sesame") {
		t.Errorf("%+v, %v", shown.Config, err)
	}
}
