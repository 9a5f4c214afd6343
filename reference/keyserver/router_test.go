package keyserver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// elsewhere is where a key server can be reached and nobody registers.
var elsewhere = netip.MustParseAddrPort("192.0.2.253:848")

func interfaces(c *policy.KeyServer) {
	vendor(c)
	c.Router.Interfaces = []policy.Interface{{Name: "Ethernet1/0", Address: netip.AddrPortFrom(elsewhere.Addr(), 0)}}
}

// aside tells what comes of a registration at another interface.
func (w *witness) aside(l *lab) {
	l.elsewhere = elsewhere
	m := l.member(1).phase1()
	w.see("%s", kinds(m.deliver(m.addr, m.begin().message1())))
}

func TestInterfaces(t *testing.T) {
	l := newLab(t, configuration(interfaces), nil)
	l.joined(1)
	l.elsewhere = elsewhere
	m := l.member(2).phase1()
	if sent := m.deliver(m.addr, m.begin().message1()); len(sent) > 0 || l.rejected("GETVPN-REG-28") != 1 {
		t.Errorf("%s", kinds(sent))
	}
	if told := l.tagged("UNREGISTERED_INTERFACE"); len(told) != 1 || told[0].Text != "registration for group g received on unregistered interface Ethernet1/0" {
		t.Errorf("%+v", told)
	}
	if _, err := l.configure(configuration(vendor)); err == nil {
		t.Error("the interfaces are others while it runs")
	}
}

// What goes to a null route reaches nobody, and the operator is told of rekeys.
func TestNullRoute(t *testing.T) {
	l := newLab(t, configuration(vendor), nil)
	m := l.joined(1)
	cfg := configuration(vendor, func(c *policy.KeyServer) { c.Router.NullRoutes = []netip.Prefix{netip.PrefixFrom(m.addr.Addr(), 32)} })
	if _, err := l.configure(cfg); err != nil {
		t.Fatal(err)
	}
	if sent := l.rekey(control.RekeyArgs{}); len(sent) > 0 || len(l.tagged("KS_BLACKHOLE_ACK")) != 1 {
		t.Errorf("%s, %d lines", kinds(sent), len(l.tagged("KS_BLACKHOLE_ACK")))
	}
	if sent := m.deliver(m.addr, m.begin().message1()); len(sent) > 0 {
		t.Errorf("an answer is sent: %s", kinds(sent))
	}
}

// While a rekey is being signed the crypto engine takes so many registrations, and the others come later.
func TestCryptoEngine(t *testing.T) {
	l := newLab(t, configuration(vendor, func(c *policy.KeyServer) {
		c.Router.Engine = policy.CryptoEngine{Signing: 2 * time.Second, Registrations: 1}
	}), nil)
	l.joined(1)
	l.rekey(control.RekeyArgs{})
	l.joined(2)
	strange := make([]byte, 100)
	strange[0] = 1
	for range 2 {
		if sent := l.deliver(memberAddr(3), strange); len(sent) > 0 {
			t.Error("an answer to what is too much")
		}
	}
	told := l.tagged("TRANSERR")
	if len(told) != 2 || told[1].Text != "IOSXE-ESG(9): IKEA trans 0x2; opcode 0x23; param 0x0; error 0xC; retry cnt 0" {
		t.Errorf("%+v", told)
	}
	l.now = l.now.Add(2 * time.Second)
	l.joined(3)
}
