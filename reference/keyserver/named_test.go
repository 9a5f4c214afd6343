package keyserver_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func nameOf(n int) policy.Identity {
	return policy.Identity{Kind: policy.IdentityFQDN, Value: fmt.Sprintf("gm%d.example", n)}
}

// withNames lets two members in by their names.
func withNames(cfg *policy.KeyServer) {
	cfg.Groups[0].Identities = []policy.Identity{nameOf(1), nameOf(2)}
}

// behindOneAddress registers two members with names, as a NAT has them.
func (l *lab) behindOneAddress() (members []*gm) {
	l.t.Helper()
	for n := 1; n <= 2; n++ {
		m := l.member(n)
		m.addr, m.name = netip.AddrPortFrom(memberAddr(1).Addr(), uint16(40000+n)), nameOf(n)
		m.phase1().register()
		members = append(members, m)
	}
	return members
}

// The two are told apart by what they have proven: each has its PUSH and acknowledges it from where it is.
func TestNamesAtOneAddress(t *testing.T) {
	l := newLab(t, configuration(acknowledged, withNames), nil)
	members := l.behindOneAddress()
	sent := l.rekey(control.RekeyArgs{})
	if len(sent) != 2 {
		t.Fatalf("%d PUSH messages, want one for each", len(sent))
	}
	for i, m := range members {
		m.receive(m.receiveFor(sent))
		m.deliver(m.addr, ackOf(m.rekey, 1, netip.MustParseAddr("10.0.0.9")))
		if s := l.status().Groups[0].Members[i]; s.Identity != "fqdn:"+nameOf(i+1).Value || s.Address != m.addr.String() || s.Acked != 1 {
			t.Errorf("member %+v", s)
		}
	}
}

func (w *witness) named(l *lab) {
	l.behindOneAddress()
	for _, s := range l.rekey(control.RekeyArgs{}) {
		w.see("%s to %s", s.Kind, s.To)
	}
	w.see("members %d", len(l.status().Groups[0].Members))
}

// A member is excluded by the name that a status has for it, and what is no identity is refused.
func TestExcludeByName(t *testing.T) {
	l := newLab(t, configuration(hierarchical, withNames), nil)
	l.behindOneAddress()
	for _, text := range []string{"fqdn:", "gm1.example", "fqdn:gm3.example"} {
		if _, err := l.command(control.Exclude, control.ExcludeArgs{Member: text}, nil); err == nil {
			t.Errorf("%s is taken for a member", text)
		}
	}
	var result control.RekeyResult
	if _, err := l.command(control.Exclude, control.ExcludeArgs{Member: "fqdn:GM1.example"}, &result); err != nil {
		t.Fatal(err)
	}
	if left := l.status().Groups[0].Members; len(left) != 1 || left[0].Identity != "fqdn:gm2.example" {
		t.Errorf("left are %+v", left)
	}
	m := l.member(1)
	m.name = nameOf(1)
	m.phase1()
	for _, s := range m.deliver(m.addr, m.begin().message1()) {
		if s.Kind == core.Pull2 {
			t.Error("the excluded is let in again")
		}
	}
}
