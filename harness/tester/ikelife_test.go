package tester

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// ikeNode is one on the machine's own network, which asks the other for signs of life after that silence.
func ikeNode(t *testing.T, role rule.Role, silence time.Duration) (*IKE, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	keys := policy.Phase1{PSKs: []policy.PSK{{Peer: netip.MustParsePrefix("127.0.0.0/8"), Key: []byte("key")}}}
	suite := policy.DefaultProposal
	suite.Group = policy.ECP256
	return NewIKE(ike.Config{Role: role, Rand: keymat.Seeded("ike node", role.String()), Local: at, PSK: keys.PSK, DPD: silence,
		Suites: ike.Suites([]policy.Proposal{suite})}, conn), at
}

// Two nodes keep an SA alive, until one of them deletes it.
func TestWatch(t *testing.T) {
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	asks, _ := ikeNode(t, rule.GM, 10*time.Millisecond)
	answers, at := ikeNode(t, rule.KS, time.Hour)
	answered := make(chan error, 1)
	go func() {
		if err := answers.Respond(ctx); err != nil {
			answered <- err
			return
		}
		life, err := answers.Watch(ctx, func(Life) bool { return false })
		if life.Questions < 3 {
			t.Errorf("asked %d times", life.Questions)
		}
		answered <- err
	}()
	if err := asks.Initiate(ctx, at); err != nil {
		t.Fatal(err)
	}
	if _, err := asks.Watch(ctx, func(l Life) bool { return l.Answers > 2 }); err != nil {
		t.Fatal(err)
	}
	if err := asks.Delete(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err == nil || ctx.Err() != nil {
		t.Errorf("the node that was told of the end goes on: %v", err)
	}
}
