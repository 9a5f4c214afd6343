package keyserver_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func vendor(cfg *policy.KeyServer) { cfg.Profile = policy.ProfileGETVPN }

// configure gives the key server another policy, and returns what leaves at once.
func (l *lab) configure(cfg policy.KeyServer) ([]*core.Send, error) {
	l.t.Helper()
	doc, err := policy.MarshalKeyServer(cfg, string(policy.SigningKeyPEM(cfg)))
	if err != nil {
		l.t.Fatal(err)
	}
	return l.command(control.Configure, control.ConfigureArgs{Config: string(doc)}, nil)
}

// alteration is one thing that is another in a policy.
type alteration struct {
	name  string
	alter func(*policy.KeyServer)
	tells string // what leaves at once: "", "TEK" or "KEK"
}

func ofSA(alter func(*policy.SAPolicy)) func(*policy.KeyServer) {
	return func(c *policy.KeyServer) { alter(&c.Groups[0].SAs[0]) }
}

func ofRekey(alter func(*policy.RekeyPolicy)) func(*policy.KeyServer) {
	return func(c *policy.KeyServer) { alter(&c.Groups[0].Rekey) }
}

var alterations = []alteration{
	{"nothing", func(*policy.KeyServer) {}, ""},
	{"lifetime", ofSA(func(sa *policy.SAPolicy) { sa.Lifetime = 2 * time.Hour }), ""},
	{"transform", ofSA(func(sa *policy.SAPolicy) { sa.Transform.KeyBits = 256 }), "TEK"},
	{"IPsec profile", ofSA(func(sa *policy.SAPolicy) { sa.IPsecProfile = "another" }), "TEK"},
	{"access list", ofSA(func(sa *policy.SAPolicy) {
		sa.Also = []policy.Selector{{Source: inner, Destination: inner, Protocol: 6}}
	}), "TEK"},
	{"receive-only", ofSA(func(sa *policy.SAPolicy) { sa.Transform.Direction = policy.DirectionReceiverOnly }), "TEK"},
	{"window over counters", repeated(policy.AntiReplay{Method: policy.ReplayCounter, Counter: 128}), ""},
	{"no window over counters", repeated(policy.AntiReplay{Method: policy.ReplayNone}), "TEK"},
	{"pseudotime", repeated(policy.AntiReplay{Method: policy.ReplayTime}), "TEK"},
	{"mode", ofSA(func(sa *policy.SAPolicy) { sa.Transform.Mode = policy.ModeTransport }), "TEK"},
	{"another SA", twoSAs, "TEK"},
	{"lifetime of the KEK", ofRekey(func(r *policy.RekeyPolicy) { r.KEKLifetime = 2 * time.Hour }), ""},
	{"signing key", signedBy("ks2"), "KEK"},
	{"cipher of the KEK", triple, "KEK"},
	{"multicast", multicast, "KEK"},
	{"retransmission", ofRekey(func(r *policy.RekeyPolicy) { r.Retransmit = 2 }), ""},
	{"members", func(c *policy.KeyServer) { c.Groups[0].Members = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/26")} }, ""},
	{"identity", func(c *policy.KeyServer) { c.Groups[0].ID++ }, ""},
	{"pre-shared key", func(c *policy.KeyServer) { c.Phase1.PSKs[0].Key = []byte("another") }, ""},
	{"policy of Phase 1", func(c *policy.KeyServer) { c.Phase1.Proposals = []policy.Proposal{policy.DefaultProposal} }, ""},
}

var inner = netip.MustParsePrefix("10.1.0.0/16")

// pushed says what a PUSH tells, "" if there was none.
func pushed(m *gm, sent []*core.Send) string {
	switch {
	case len(sent) == 0:
		return ""
	case len(sent) > 1:
		return fmt.Sprintf("%d messages", len(sent))
	}
	p := m.receive(sent[0].Data)
	switch {
	case p.policy.Rekey != nil && len(p.policy.SAs) == 0:
		return "KEK"
	case p.policy.Rekey == nil && len(p.policy.SAs) > 0:
		return "TEK"
	}
	return fmt.Sprintf("Rekey SA %t, %d SAs", p.policy.Rekey != nil, len(p.policy.SAs))
}

func TestWhatChangesTell(t *testing.T) {
	for _, a := range alterations {
		t.Run(a.name, func(t *testing.T) {
			l := newLab(t, configuration(vendor), nil)
			m := l.joined(1)
			l.now = l.now.Add(time.Minute)
			sent, err := l.configure(configuration(vendor, a.alter))
			if got := pushed(m, sent); err != nil || got != a.tells {
				t.Errorf("%q leaves, want %q; %v", got, a.tells, err)
			}
			if sent := l.pass(time.Minute); len(sent) > 0 {
				t.Errorf("%d messages later", len(sent))
			}
			if got := pushed(m, l.rekey(control.RekeyArgs{})); got != "TEK" {
				t.Errorf("the next rekey is %q", got)
			}
		})
	}
}

// A change of a SA's transform tells the SA before it, with the rest of its life, and the new one; a newcomer gets both.
func TestOldAndNewAreTold(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	l.pass(1600 * time.Second)
	sent, err := l.configure(configuration(vendor, ofSA(func(sa *policy.SAPolicy) { sa.Transform.KeyBits = 256 })))
	if err != nil {
		t.Fatal(err)
	}
	sas := m.receive(m.only(sent)).policy.SAs
	if len(sas) != 2 || sas[0].Transform.KeyBits != 128 || sas[1].Transform.KeyBits != 256 || sas[0].Lifetime != 2000*time.Second || sas[1].Lifetime != time.Hour {
		t.Fatalf("told %+v", sas)
	}
	given := l.member(2).phase1().register().SAs
	if len(given) != 2 || given[0].SPI != sas[0].SPI || string(given[0].CipherKey) != string(sas[0].CipherKey) {
		t.Errorf("a newcomer got %+v", given)
	}
	l.pass(2001 * time.Second)
	if given := l.member(3).phase1().register().SAs; len(given) != 1 {
		t.Errorf("%d SAs after the end of the one before", len(given))
	}
}

// One configuration is one message, whatever it changes.
func TestOneMessageForAll(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	sent, err := l.configure(configuration(vendor, triple, twoSAs, ofSA(func(sa *policy.SAPolicy) { sa.Transform.KeyBits = 192 })))
	if got := pushed(m, sent); err != nil || got != "Rekey SA true, 3 SAs" {
		t.Errorf("%q, %v", got, err)
	}
}

// With another signing key the message of the change is signed by the one before, and what follows by the new one.
func TestSigningKeyRollsOver(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	before := m.rekey.PublicKey
	sent, err := l.configure(configuration(vendor, signedBy("ks2")))
	if err != nil {
		t.Fatal(err)
	}
	m.receive(m.only(sent)) // it verifies with the key that the member has
	if string(m.rekey.PublicKey) == string(before) {
		t.Error("the Rekey SA has the key from before")
	}
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
}

// A group that goes from unicast to multicast is told so where it listens now.
func TestTransportRollsOver(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	sent, err := l.configure(configuration(vendor, multicast))
	if err != nil {
		t.Fatal(err)
	}
	m.receive(m.only(sent))
	if next := l.rekey(control.RekeyArgs{}); len(next) != 1 || next[0].To != netip.MustParseAddrPort("239.1.1.1:848") {
		t.Errorf("the next goes to %v", next)
	}
	sent, err = l.configure(configuration(vendor))
	if err != nil || len(sent) != 1 || !sent[0].To.Addr().IsMulticast() {
		t.Fatalf("%v %v", sent, err)
	}
	m.receive(sent[0].Data)
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
	for _, tag := range []string{"KS_REKEY_TRANS_2_MULTI", "KS_REKEY_TRANS_2_UNI"} {
		if len(l.tagged(tag)) != 1 {
			t.Errorf("%d lines %s", len(l.tagged(tag)), tag)
		}
	}
}

// Groups come and go with the policy, and are found again under another identity.
func TestGroupsOfAnotherPolicy(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	second := func(c *policy.KeyServer) {
		g := c.Groups[0]
		g.Name, g.ID = "second", 77
		c.Groups = append(c.Groups, g)
	}
	if _, err := l.configure(configuration(vendor, second)); err != nil {
		t.Fatal(err)
	}
	if groups := l.status().Groups; len(groups) != 2 || len(groups[0].Members) != 1 || groups[1].ID != 77 {
		t.Errorf("groups %+v", groups)
	}
	if _, err := l.configure(configuration(vendor, func(c *policy.KeyServer) { c.Groups[0].ID = 99 })); err != nil {
		t.Fatal(err)
	}
	if groups := l.status().Groups; len(groups) != 1 || groups[0].ID != 99 || len(groups[0].Members) != 1 {
		t.Errorf("groups %+v", groups)
	}
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
}

// A group that loses its rekeys goes on without; when it gets some again, the first leaves at once, for members that get its KEK later.
func TestRekeysEndAndBegin(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	unsigned := configuration(vendor, func(c *policy.KeyServer) { c.SigningKey = nil })
	if sent, err := l.configure(unsigned); err != nil || len(sent) > 0 || len(l.tagged("KS_NO_RSA_KEYS")) != 1 {
		t.Fatalf("%d messages, %d lines, %v", len(sent), len(l.tagged("KS_NO_RSA_KEYS")), err)
	}
	var result control.RekeyResult
	if sent, err := l.command(control.Rekey, control.RekeyArgs{}, &result); err != nil || len(sent) > 0 {
		t.Errorf("%d messages, %v", len(sent), err)
	}
	if members := l.status().Groups[0].Members; len(members) != 1 {
		t.Errorf("%d members", len(members))
	}
	sent, err := l.configure(configuration(vendor))
	if err != nil || len(sent) != 1 || sent[0].To != m.addr {
		t.Fatalf("%d messages, %v", len(sent), err)
	}
	l.now = l.now.Add(time.Minute)
	m = l.joined(1)
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
}

// Members that have none of the rekeys which their group has got are forgotten when their SAs have ended.
func TestMembersWithoutTheKEKAreForgotten(t *testing.T) {
	l := newLab(t, configuration(vendor, func(c *policy.KeyServer) { c.SigningKey = nil }), nil)
	l.joined(1)
	if _, err := l.configure(configuration(vendor)); err != nil {
		t.Fatal(err)
	}
	l.pass(4 * time.Hour)
	if members := l.status().Groups[0].Members; len(members) != 0 {
		t.Errorf("%d members", len(members))
	}
}

func TestWhatCannotChange(t *testing.T) {
	for want, cfg := range map[string]policy.KeyServer{
		"start the key server anew":     configuration(vendor, func(c *policy.KeyServer) { c.Name = "other" }),
		"the management of the KEK":     configuration(vendor, ofRekey(func(r *policy.RekeyPolicy) { r.Management = policy.ManagementLKH })),
		"SAs keeps one":                 configuration(vendor, func(c *policy.KeyServer) { c.Groups[0].SAs = nil }),
		"is not longer than the margin": configuration(vendor, ofRekey(func(r *policy.RekeyPolicy) { r.Margin = 2 * time.Hour })),
		"two":                           configuration(vendor, func(c *policy.KeyServer) { c.Groups = append(c.Groups, c.Groups[0]) }),
	} {
		l := newLab(t, configuration(vendor), nil)
		m := l.joined(1)
		if sent, err := l.configure(cfg); err == nil || len(sent) > 0 || !strings.Contains(err.Error(), want) && want != "two" {
			t.Errorf("want %q: %d messages, %v", want, len(sent), err)
		}
		m.receive(m.only(l.rekey(control.RekeyArgs{})))
	}
	l := newLab(t, configuration(), nil)
	if _, err := l.configure(configuration()); err == nil || !strings.Contains(err.Error(), "profile getvpn only") {
		t.Errorf("without the profile: %v", err)
	}
}

// An operator may replace SAs so that those before live on only as long as it takes to go over to the new ones.
func TestReplacedSAsLiveShorter(t *testing.T) {
	for _, c := range []struct{ whole, passed, want time.Duration }{
		{time.Hour, 1600 * time.Second, 180 * time.Second},
		{600 * time.Second, 60 * time.Second, 90 * time.Second},
		{time.Hour, 3200 * time.Second, 180 * time.Second},
		{time.Hour, 3239 * time.Second, 180 * time.Second},
		{48 * time.Hour, time.Hour, time.Hour},
	} {
		l := newLab(t, configuration(vendor, ofSA(func(sa *policy.SAPolicy) { sa.Lifetime = c.whole })), nil)
		m := l.joined(1)
		l.pass(c.passed)
		sas := m.receive(m.only(l.rekey(control.RekeyArgs{Replace: true}))).policy.SAs
		if len(sas) != 2 || sas[0].Lifetime != c.want || sas[1].Lifetime != c.whole {
			t.Errorf("%v after %v of %v", sas, c.passed, c.whole)
		}
	}
	l := newLab(t, configuration(), nil)
	if _, err := l.command(control.Rekey, control.RekeyArgs{Replace: true}, nil); err == nil {
		t.Error("without the profile it is done, too")
	}
}

// listed is an access list of so many entries, the last of which permit.
func listed(denies int) func(*policy.SAPolicy) {
	return func(sa *policy.SAPolicy) {
		for i := range denies {
			host := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(i), 1}), 32)
			sa.AccessList = append(sa.AccessList, policy.ACE{Deny: true, Selector: policy.Selector{Source: host, Destination: host}})
		}
		sa.AccessList = append(sa.AccessList, policy.ACE{Selector: sa.Selector})
		sa.Selector = policy.Selector{}
	}
}

func TestEntriesThatCount(t *testing.T) {
	for denies, lines := range map[int]int{99: 0, 100: 1} {
		l := newLab(t, configuration(vendor, ofSA(listed(denies))), nil)
		if got := len(l.tagged("GDOI_ACL_NUM")); got != lines {
			t.Errorf("%d lines of %d entries", got, denies+1)
		}
	}
}

// changes tells what each alteration brings about, and then its taking back.
func (w *witness) changes(l *lab) {
	l.joined(1)
	for _, a := range alterations {
		there, err1 := l.configure(configuration(vendor, a.alter))
		back, err2 := l.configure(configuration(vendor))
		w.see("%s: %d messages, and back %d %v %v", a.name, len(there), len(back), err1, err2)
	}
}

// movedMulticast tells what another multicast address brings about.
func (w *witness) movedMulticast(l *lab) {
	l.joined(1)
	for port := range 2 {
		sent, err := l.configure(configuration(vendor, multicast, func(c *policy.KeyServer) {
			c.Groups[0].Rekey.Address = netip.MustParseAddrPort(fmt.Sprintf("239.1.1.%d:848", port+1))
		}))
		w.see("%d messages, %v", len(sent), err)
	}
}

// repeated has an SA be protected so against repetition.
func repeated(a policy.AntiReplay) func(*policy.KeyServer) {
	return ofSA(func(sa *policy.SAPolicy) { sa.AntiReplay = a })
}

// timed tells what changes of the pseudotime bring about.
func (w *witness) timed(l *lab) {
	l.joined(1)
	for _, a := range []policy.AntiReplay{{Method: policy.ReplayTime}, {Method: policy.ReplayTime, Window: 50 * time.Second}, {Method: policy.ReplayNone}} {
		sent, err := l.configure(configuration(vendor, repeated(a)))
		w.see("%d messages, %v", len(sent), err)
	}
}

// signed tells what comes of the loss of the key that signs rekeys, and of its return.
func (w *witness) signed(l *lab) {
	l.joined(1)
	for _, alter := range []func(*policy.KeyServer){func(c *policy.KeyServer) { c.SigningKey = nil }, vendor} {
		sent, err := l.configure(configuration(vendor, alter))
		asked, err2 := l.command(control.Rekey, control.RekeyArgs{}, nil)
		w.see("%d messages, asked for %d %v %v", len(sent), len(asked), err, err2)
	}
}

// accessLists tells how many entries of a list are told, and in which order.
func (w *witness) accessLists(l *lab) {
	m := l.member(1).phase1()
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	for _, a := range p.sa2.Attributes {
		if sat, ok := isakmp.Unwrap(a).(gdoi.SAT); ok {
			w.see("SAT of protocol %d: %x", sat.ProtocolID, sat.Raw)
		}
	}
}
