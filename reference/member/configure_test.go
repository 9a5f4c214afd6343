package member_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// configure gives the member another configuration.
func (l *lab) configure(cfg policy.Member) *core.Reply {
	l.Helper()
	doc, err := policy.MarshalMember(cfg)
	if err != nil {
		l.Fatal(err)
	}
	args, err := json.Marshal(control.ConfigureArgs{Config: string(doc)})
	if err != nil {
		l.Fatal(err)
	}
	return l.command(control.Configure, string(args))
}

// A member takes other pre-shared keys while it runs, keeps what it has, and fails with a key server that has the one from before.
func TestOtherKeys(t *testing.T) {
	l := newLab(t).start()
	has := l.spis()
	cfg := config()
	cfg.Phase1.PSKs = []policy.PSK{{Peer: cfg.Phase1.PSKs[0].Peer, Key: []byte("another")}}
	if r := l.configure(cfg); r.Err != "" {
		t.Fatal(r.Err)
	}
	l.want("SAs", l.spis(), has)
	l.forget()
	l.command(control.Clear)
	if l.want("SAs", l.spis(), ""); strings.Contains(l.tags(), "REGISTERED") {
		t.Error("it registers with a key server that has another key")
	}
	if r := l.configure(config()); r.Err != "" {
		t.Fatal(r.Err)
	}
	l.command(control.Clear)
	l.want("SAs", l.spis(), has)
}

func TestNothingElseChanges(t *testing.T) {
	l := newLab(t).start()
	for what, alter := range map[string]func(*policy.Member){
		"group":    func(m *policy.Member) { m.Group++ },
		"mtu":      func(m *policy.Member) { m.MTU = 1400 },
		"proposal": func(m *policy.Member) { m.Phase1.Proposals = []policy.Proposal{policy.DefaultProposal} },
	} {
		cfg := config()
		alter(&cfg)
		if r := l.configure(cfg); !strings.Contains(r.Err, "start the member anew") {
			t.Errorf("%s: %q", what, r.Err)
		}
	}
	if r := l.command(control.Configure, `{"config": "name: 7"}`); r.Err == "" {
		t.Error("a document that is none")
	}
	if r := l.command(control.Configure, `7`); r.Err == "" {
		t.Error("arguments that are none")
	}
}
