package router

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	served "github.com/gdoilab/gdoilab/reference/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	hostKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	userKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
)

func public(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

func private(t *testing.T, key ed25519.PrivateKey) []byte {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}

// talk is a router that asks for secrets and confirmations, refuses, and is silent when it is told so.
func talk(ctx context.Context, args control.ConsoleArgs) (control.ConsoleResult, error) {
	r := control.ConsoleResult{Prompt: "box>", Mode: args.Mode}
	switch {
	case args.Mode == control.ConsolePassword:
		r.Mode, r.Prompt, r.Text = "", "box#", "in\n"
	case args.Mode == "sure":
		r.Mode, r.Text = "", "you said "+args.Line+"\n"
	case args.Line == "enable":
		r.Mode, r.Prompt = control.ConsolePassword, "Password: "
	case args.Line == "clear":
		r.Mode, r.Prompt = "sure", "Sure? [yes/no]: "
	case args.Line == "ask for ever":
		r.Mode, r.Prompt = "sure", "Sure? [yes/no]: "
		r.Mode = "again"
	case args.Mode == "again":
		r.Mode, r.Prompt = "again", "Sure? [yes/no]: "
	case args.Line == "bad":
		r.Text = "   ^\n% Invalid input\n"
	case args.Line == "hang":
		<-ctx.Done()
	case args.Line == "bye":
		r.Mode = control.ConsoleClosed
	case args.Line != "":
		r.Text = "line one of " + args.Line + "\nbox> is not a prompt here\nlast\n"
	}
	return r, nil
}

// serve starts such a router, and returns how it is reached.
func serve(t *testing.T) (Login, Manner) {
	t.Helper()
	s, err := served.Listen(policy.Console{SSH: netip.MustParseAddrPort("127.0.0.1:0"), HostKey: string(private(t, hostKey)),
		Users: []policy.ConsoleUser{{Name: "lab", Password: "secret", Keys: []string{public(t, userKey)}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(ctx, talk) }()
	t.Cleanup(func() { cancel(); <-done })
	return Login{Address: s.Addr().String(), User: "lab", Password: "secret", HostKey: public(t, hostKey)}, Manner{
		Prompt: regexp.MustCompile(`^box[>#] ?$`), Refused: []*regexp.Regexp{regexp.MustCompile(`^% Invalid`)}, Within: 20 * time.Second,
		Answers: []Answer{{To: regexp.MustCompile(`^Password: ?$`), With: "sesame", Secret: true}, {To: regexp.MustCompile(`\[yes/no\]: ?$`), With: "yes"}},
	}
}

func open(t *testing.T) *Session {
	t.Helper()
	login, manner := serve(t)
	s, err := Open(t.Context(), login, manner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A line is answered without its echo and the prompt; questions on the way are answered, and secrets are in no transcript.
func TestType(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ line, want string }{
		{"show version", "line one of show version\nbox> is not a prompt here\nlast\n"}, {"", ""}, {"clear", "you said yes\n"}, {"enable", "in\n"},
		{strings.Repeat("a long line ", 50), "line one of " + strings.Repeat("a long line ", 50) + "\nbox> is not a prompt here\nlast\n"},
	} {
		if got, err := s.Type(t.Context(), c.line); got != c.want || err != nil {
			t.Errorf("%q: %q, %v", c.line, got, err)
		}
	}
	got, err := s.Type(t.Context(), "bad")
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Line != "bad" || refusal.Text != "% Invalid input" || !strings.Contains(got, "^") {
		t.Errorf("%q, %v", got, err)
	}
	script := s.Transcript()
	for _, want := range []string{"> show version\nline one of show version\n", "> clear\n", "> yes\n", "> ********\n", "% Invalid input"} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q in %s", want, script)
		}
	}
	if strings.Contains(script, "sesame") {
		t.Error("a secret is in the transcript")
	}
}

// What never comes to an end is an error that says what was said last.
func TestNoPrompt(t *testing.T) {
	login, manner := serve(t)
	for line, want := range map[string]string{"hang": "no prompt after \"hang\"", "bye": "the conversation has ended", "ask for ever": "no prompt after \"ask for ever\""} {
		manner.Within = 20 * time.Second
		s, err := Open(t.Context(), login, manner)
		if err != nil {
			t.Fatal(err)
		}
		s.manner.Within = 300 * time.Millisecond
		if _, err := s.Type(t.Context(), line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
		if err := s.Close(); err != nil && line != "bye" {
			t.Error(err)
		}
		if _, err := s.Type(t.Context(), "more"); err == nil {
			t.Error("somebody answers who is gone")
		}
	}
	manner.Prompt, manner.Within = regexp.MustCompile("^nothing$"), 300*time.Millisecond
	if _, err := Open(t.Context(), login, manner); !errors.Is(err, ErrSilent) || !strings.Contains(err.Error(), `it said last "box>"`) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, login, manner); err == nil {
		t.Error("it was called off")
	}
}

func TestLogin(t *testing.T) {
	login, manner := serve(t)
	for what, c := range map[string]struct {
		alter func(*Login)
		want  string
	}{
		"a password":        {func(*Login) {}, ""},
		"a key":             {func(l *Login) { l.Password, l.Key = "", private(t, userKey) }, ""},
		"old algorithms":    {func(l *Login) { l.Old = true }, ""},
		"a wrong password":  {func(l *Login) { l.Password = "no" }, "no login at"},
		"a key of nobody":   {func(l *Login) { l.Password, l.Key = "", private(t, hostKey) }, "no login at"},
		"no key":            {func(l *Login) { l.Key = []byte("x") }, "the key of the user lab"},
		"another host":      {func(l *Login) { l.HostKey = public(t, userKey) }, "host key mismatch"},
		"no host key":       {func(l *Login) { l.HostKey = "" }, "write it as in a known_hosts file"},
		"nobody there":      {func(l *Login) { l.Address = "127.0.0.1:1" }, "no login"},
		"an RSA host key":   {func(l *Login) { l.HostKey = rsaHost }, "no login at"},
		"no address at all": {func(l *Login) { l.Address = "x" }, "no login"},
	} {
		one := login
		c.alter(&one)
		s, err := Open(t.Context(), one, manner)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", what, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	answers, err := login.interactive("", "", []string{"Password: "}, []bool{false})
	if err != nil || len(answers) != 1 || answers[0] != "secret" {
		t.Errorf("%q, %v", answers, err)
	}
}

// rsaHost is a public key that no router of ours has.
const rsaHost = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDGRAo4Tn9Y3hY0kk0hJ0dmdPG+iEJNVY1eLJE1RvUjKxGOJYbPrsBvpLkLVdkxBBg6k+a1NmmyDBG4YcX7PBMMDhAmsR+1Yt4v3jMBN7fq8i0Z3lqLqkJk1R1Q4yqQXvJwLrfvC4V3Hq0N7bVtCqkBzHcCVp1rNJjAjFQh6eQ8Fw=="

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"show\r\nbox> ": "show\nbox> ", "\x1b[1mbold\x1b[0m": "bold", "sho\bw": "shw", "a\n\b\bb": "a\nb", " --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\bnext": "next",
		"\x1b]0;title\x07box>": "box>", "x\x00\x07y\rz": "xyz", "\x1b7\x1b8\x1b(B": "", "": "",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, c := range []struct{ text, typed, want string }{
		{"show\none\nbox>", "show", "one\n"}, {"one\nbox>", "show", "one\n"}, {"box#show\nbox>", "show", ""}, {"box>", "show", ""}, {"  indented\nx\nbox>", " indented", "x\n"},
	} {
		if got := withoutEcho(c.text, c.typed); got != c.want {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}

// FuzzClean: whatever a router sends, there is a text without control characters that move a cursor.
func FuzzClean(f *testing.F) {
	f.Add("\x1b[2Kshow\b\r\n\x1b]0;x\x07")
	f.Fuzz(func(t *testing.T, text string) {
		if got := clean(text); strings.ContainsAny(got, "\b\x00\a") || len(got) > 3*len(text) {
			t.Errorf("%q: %q", text, got)
		}
		withoutEcho(clean(text), "show")
	})
}
