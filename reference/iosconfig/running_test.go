package iosconfig_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func running(t *testing.T, text string) iosconfig.Running {
	t.Helper()
	r, err := iosconfig.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRunningSaysTheSame: a configuration that was taken apart line by line and put together again makes the same policy.
func TestRunningSaysTheSame(t *testing.T) {
	open := iosconfig.Options{Open: open}
	for _, name := range []string{"getvpn-ks.ios", "getvpn-gm1.ios"} {
		text := running(t, string(read(t, name))).Text()
		if again := running(t, text).Text(); again != text {
			t.Errorf("%s: %s\nthen %s", name, text, again)
		}
		if name == "getvpn-gm1.ios" {
			a, _, err1 := iosconfig.ParseMember(name, read(t, name), open)
			b, _, err2 := iosconfig.ParseMember(name, []byte(text), open)
			if diff := difference(t, a, b, policy.MarshalMember); diff != "" || err1 != nil || err2 != nil {
				t.Error(diff, err1, err2)
			}
			continue
		}
		a, _, err1 := iosconfig.ParseKeyServer(name, read(t, name), open)
		b, _, err2 := iosconfig.ParseKeyServer(name, []byte(text), open)
		if diff := difference(t, a, b, func(k policy.KeyServer) ([]byte, error) { return policy.MarshalKeyServer(k, "x.pem") }); diff != "" || err1 != nil || err2 != nil {
			t.Error(diff, err1, err2)
		}
	}
}

// TestEdit types lines, one after the other, and looks at the configuration that is there then.
func TestEdit(t *testing.T) {
	const before = "hostname gm1\ncrypto isakmp policy 10\n encr aes\n hash sha256\ncrypto isakmp key old address 10.0.0.1\n" +
		"ip access-list extended own\n deny tcp any any\n"
	for what, c := range map[string]struct{ typed, want string }{
		"a line in a mode that is there": {"crypto isakmp policy 10\ngroup 14", "crypto isakmp policy 10\n encr aes\n hash sha256\n group 14\n exit\n"},
		"a line of the mode around it":   {"crypto isakmp policy 10\ngroup 14\nhostname gm2", "hostname gm2\n"},
		"the same line once more":        {"ip access-list extended own\ndeny udp any any\ndeny tcp any any", "own\n deny udp any any\n deny tcp any any\n exit\n"},
		"no with a line":                 {"crypto isakmp policy 10\nno hash", "crypto isakmp policy 10\n encr aes\n exit\n"},
		"no with a line around it":       {"crypto isakmp policy 10\nno crypto isakmp key\nhostname x", " hash sha256\n exit\nip access-list extended own\n deny tcp any any\n exit\nhostname x\n"},
		"no with a mode":                 {"no crypto isakmp policy 10", "hostname gm1\ncrypto isakmp key"},
		"no that stays":                  {"interface x\nip address 10.0.0.1 255.255.255.0\nno ip address", "interface x\n no ip address\n exit\n"},
		"exit and on":                    {"crypto isakmp policy 10\nexit\nhostname gm3", "hostname gm3\n"},
	} {
		e := running(t, before).Edit()
		for _, line := range strings.Split(c.typed, "\n") {
			if err := e.Type(line); err != nil {
				t.Errorf("%s: %s: %v", what, line, err)
			}
		}
		if got := e.Running().Text(); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", what, c.want, got)
		}
	}
}

// TestEditRefuses: a line that is refused leaves everything as it was, the mode too.
func TestEditRefuses(t *testing.T) {
	e := running(t, "crypto isakmp policy 10\n encr aes\n").Edit()
	if err := e.Type("crypto isakmp policy 10"); err != nil || e.Mode() != "isakmp policy" {
		t.Fatal(err, e.Mode())
	}
	before := e.Running().Text()
	for _, line := range []string{"frobnicate", "group 77", "no frobnicate", "lifetime 1", "encr des", "a\nb", "crypto isakmp policy many"} {
		if err := e.Type(line); err == nil || e.Mode() != "isakmp policy" || e.Running().Text() != before {
			t.Errorf("%q: %v, %q", line, err, e.Mode())
		}
	}
	if err := e.Type("frobnicate"); !errors.Is(err, iosconfig.ErrUnknown) {
		t.Error(err)
	}
	name, c := running(t, "hostname a\nenable secret sesame\nusername u privilege 15 secret s\n").Console()
	if name != "a" || c.Enable != "sesame" || len(c.Users) != 1 || !c.Users[0].Privileged {
		t.Errorf("%s, %+v", name, c)
	}
	if !e.Leave() || e.Leave() || e.Mode() != "" {
		t.Error("there are more modes, or fewer")
	}
	if _, err := iosconfig.Read([]byte("hostname a\nend\n\nwhat\n")); err == nil || !strings.Contains(err.Error(), "line 4: ") {
		t.Error(err)
	}
}

// A conversation changes nothing that others have.
func TestEditsAreApart(t *testing.T) {
	r := running(t, "crypto isakmp policy 10\n encr aes\n")
	before := r.Text()
	e := r.Edit()
	for _, line := range []string{"crypto isakmp policy 10", "no encr", "hostname x"} {
		if err := e.Type(line); err != nil {
			t.Fatal(err)
		}
	}
	if r.Text() != before || r.Has("hostname") || !e.Running().Has("hostname") || !r.Has("crypto", "isakmp") {
		t.Errorf("%s", r.Text())
	}
}

// FuzzRunning: what was taken is taken again, and is the same then.
func FuzzRunning(f *testing.F) {
	f.Add("hostname ks\ncrypto gkm group g\n server local\n  sa ipsec 1\n   no replay\n  address ipv4 10.0.0.1\nno crypto map m\nend\nexit\n")
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		r, _ := iosconfig.Read([]byte(text))
		once := r.Text()
		again, err := iosconfig.Read([]byte(once))
		if err != nil || again.Text() != once {
			t.Errorf("%v\n%q\n%q", err, once, again.Text())
		}
	})
}
