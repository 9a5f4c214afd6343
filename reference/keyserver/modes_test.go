package keyserver_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func profiled(cfg *policy.KeyServer) { cfg.Profile = policy.ProfileGETVPN }

// authorizing gives the group lists in place of its members; a list that is nil is not there.
func authorizing(addresses *[]netip.Prefix, identities *[]policy.Identity) func(*policy.KeyServer) {
	return func(cfg *policy.KeyServer) {
		profiled(cfg)
		g := &cfg.Groups[0]
		g.Members, g.Authorization = nil, &policy.Authorization{Addresses: addresses, Identities: identities}
	}
}

var (
	onlyFirst = &[]netip.Prefix{netip.PrefixFrom(memberAddr(1).Addr(), 32)}
	onlyName  = &[]policy.Identity{nameOf(1)}
)

// tryAll has members with addresses and with names try to register.
func (l *lab) tryAll() (let map[string]bool) {
	let = make(map[string]bool)
	for n := 1; n <= 2; n++ {
		for _, named := range []bool{false, true} {
			m, what := l.member(n), memberAddr(n).Addr().String()
			if named {
				m.addr, m.name = netip.AddrPortFrom(memberAddr(1).Addr(), uint16(40000+n)), nameOf(n)
				what = nameOf(n).String()
			}
			m.phase1()
			let[what] = strings.Contains(kinds(m.deliver(m.addr, m.begin().message1())), core.Pull2.String())
		}
	}
	return let
}

func (w *witness) authorization(l *lab) { w.see("%v", l.tryAll()) }

func TestAuthorization(t *testing.T) {
	a1, a2, n1, n2 := memberAddr(1).Addr().String(), memberAddr(2).Addr().String(), nameOf(1).String(), nameOf(2).String()
	for _, test := range []struct {
		name       string
		addresses  *[]netip.Prefix
		identities *[]policy.Identity
		let        []string
	}{
		{"no list", nil, nil, []string{a1, a2, n1, n2}},
		{"addresses", onlyFirst, nil, []string{a1, n1, n2}},
		{"names", nil, onlyName, []string{a1, a2, n1}},
		{"both", onlyFirst, onlyName, []string{a1, n1}},
		{"no address", &[]netip.Prefix{}, onlyName, []string{n1}},
		{"no name", onlyFirst, &[]policy.Identity{}, []string{a1}},
	} {
		l := newLab(t, configuration(authorizing(test.addresses, test.identities), withPSKs), nil)
		for who, let := range l.tryAll() {
			if want := strings.Contains(" "+strings.Join(test.let, " ")+" ", " "+who+" "); let != want {
				t.Errorf("%s: %s is let in: %t", test.name, who, let)
			}
		}
		refused := 4 - len(test.let)
		told := len(l.tagged("UNAUTHORIZED_IPADDR")) + len(l.tagged("UNAUTHORIZED_IDENTITY"))
		if told != refused || len(l.tagged("KS_UNAUTHORIZED")) != refused {
			t.Errorf("%s: %d of %d refusals are told", test.name, told, refused)
		}
	}
}

func TestUnauthorizedWords(t *testing.T) {
	l := newLab(t, configuration(authorizing(onlyFirst, onlyName), withPSKs), nil)
	l.tryAll()
	first := func(tag string) string { return l.tagged(tag)[0].Text }
	if got, want := first("UNAUTHORIZED_IPADDR"), "Group g received registration from unauthorized ip address: "+memberAddr(2).Addr().String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := first("UNAUTHORIZED_IDENTITY"), "Group g received registration from unauthorized identity: "+nameOf(2).String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	l = newLab(t, configuration(authorizing(nil, &[]policy.Identity{}), withPSKs), nil)
	l.tryAll()
	if got := l.tagged("UNAUTHORIZED_IDENTITY")[0].Text; !strings.HasSuffix(got, "Dist. name parsing failed. Peer Address: "+memberAddr(1).Addr().String()) {
		t.Errorf("of a list with nobody on it: %q", got)
	}
	l = newLab(t, configuration(withNames), nil)
	l.member(200).phase1().begin()
	if l.tryAll(); len(l.tagged("KS_UNAUTHORIZED")) > 0 {
		t.Error("told with another profile")
	}
}

// withPSKs has members with names have a key of their own, as withNames does, without listing them.
func withPSKs(cfg *policy.KeyServer) {
	g := cfg.Groups[0]
	withNames(cfg)
	cfg.Groups[0] = g
}

func receiveOnlyAtFirst(cfg *policy.KeyServer) { profiled(cfg); cfg.Groups[0].ReceiveOnly = true }

func (w *witness) receiveOnly(l *lab) {
	m := l.joined(1)
	w.see("registered: %d", m.register().SAs[0].Transform.Direction)
	for _, on := range []bool{false, true} {
		sent, err := l.command(control.ReceiveOnly, control.ReceiveOnlyArgs{On: on}, nil)
		if err != nil {
			w.Fatal(err)
		}
		for _, s := range sent {
			w.see("%v: %d", on, m.receive(s.Data).policy.SAs[0].Transform.Direction)
		}
		w.see("%s", l.status().Groups[0].Direction)
	}
}

func TestReceiveOnly(t *testing.T) {
	l := newLab(t, configuration(receiveOnlyAtFirst), nil)
	m := l.joined(1)
	before := m.register().SAs[0]
	if before.Transform.Direction != policy.DirectionReceiverOnly || l.status().Groups[0].Direction != "receive-only" {
		t.Errorf("registration brings %+v", before.Transform)
	}
	var result control.RekeyResult
	sent, err := l.command(control.ReceiveOnly, control.ReceiveOnlyArgs{On: false}, &result)
	if err != nil {
		t.Fatal(err)
	}
	after := m.receive(m.only(sent)).policy.SAs[0]
	if after.SPI == before.SPI || after.Transform.Direction == policy.DirectionReceiverOnly || len(result.SPIs) != 1 {
		t.Errorf("the rekey brings %+v after %+v", after, before)
	}
	if _, err := l.command(control.ReceiveOnly, control.ReceiveOnlyArgs{On: false}, nil); err == nil {
		t.Error("the same once more is taken")
	}
	for tag, want := range map[string]int{"KS_CONV_SAS_INGRESS": 1, "KS_CONV_SAS_DUPLEX": 1} {
		if got := len(l.tagged(tag)); got != want {
			t.Errorf("%d lines %s, want %d", got, tag, want)
		}
	}
	if _, err := newLab(t, configuration(), nil).command(control.ReceiveOnly, control.ReceiveOnlyArgs{On: true}, nil); err == nil {
		t.Error("another profile has the command")
	}
}
