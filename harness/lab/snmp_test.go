package lab

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// asked is a lab on the memory fabric with that setup, whose nodes are registered.
func asked(t *testing.T, setup Setup) *Lab {
	t.Helper()
	l, err := New(context.Background(), Env{Fabric: Memory{}, Seed: "1"}, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := l.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSNMP(t *testing.T) {
	ctx := context.Background()
	l := asked(t, Setup{Device: rule.Both, Profile: policy.ProfileGETVPN, SNMP: true})
	for p, name := range map[*Peer]string{l.KS: "cgmGdoiKeyServerRegisteredGMs", l.GM[0]: "cgmGdoiGmActiveTEKNum"} {
		all, err := p.SNMP(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.Of(name); len(got) != 1 || got[0].Number != 1 || len(all) < 2*atOnce {
			t.Errorf("%s: %+v among %d", name, got, len(all))
		}
		if answer, err := p.SNMPSets(ctx, all[0].OID, 7); err != nil || answer != gosnmp.NotWritable {
			t.Errorf("%s, %v", answer, err)
		}
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.SNMP(ctx); !errors.Is(err, errNoAnswer) {
			t.Error(err)
		}
	}
}

// Who has no agent cannot be asked: a tester, a device that was not told to have one, and one whose manifest has no word for it.
func TestNoSNMP(t *testing.T) {
	ctx := context.Background()
	l := asked(t, Setup{Device: rule.GM, Profile: policy.ProfileGETVPN, SNMP: true})
	if _, err := l.KS.SNMP(ctx); !errors.Is(err, errNoAnswer) {
		t.Error(err)
	}
	if _, err := asked(t, Setup{Device: rule.GM}).GM[0].SNMP(ctx); !errors.Is(err, errNoAnswer) {
		t.Error(err)
	}
	mute := *l.GM[0].station.Device
	mute.SNMP = nil
	l.GM[0].station.Device = &mute
	var lacks *peer.Unsupported
	if _, err := l.GM[0].SNMP(ctx); !errors.As(err, &lacks) || !strings.Contains(lacks.Declaration, "declares no snmp") {
		t.Error(err)
	}
}

// answers is a node whose agent says what it likes.
type answers struct {
	Node
	say func(asked string) []gosnmp.SnmpPDU
}

func (answers) community() string { return "c" }

func (a answers) manageBy(_ context.Context, message []byte) ([]byte, error) {
	c := gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "c"}
	request, err := c.SnmpDecodePacket(message)
	if err != nil {
		return nil, err
	}
	return c.SnmpEncodePacket(gosnmp.GetResponse, a.say(request.Variables[0].Name), 0, 0)
}

// A walk ends behind the module, and does not go round in circles.
func TestWalks(t *testing.T) {
	inside := func(n string) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: mib.Root.String() + n, Type: gosnmp.Integer, Value: 1}
	}
	for name, c := range map[string]struct {
		say  func(string) []gosnmp.SnmpPDU
		want int // objects; fewer than 0: an error
	}{
		"behind": {func(string) []gosnmp.SnmpPDU {
			return []gosnmp.SnmpPDU{inside(".1"), {Name: ".1.3.6.1.6", Type: gosnmp.Integer, Value: 1}}
		}, 1},
		"the end": {func(string) []gosnmp.SnmpPDU {
			return []gosnmp.SnmpPDU{inside(".1"), {Name: mib.Root.String() + ".1", Type: gosnmp.EndOfMibView}}
		}, 1},
		"circles": {func(string) []gosnmp.SnmpPDU { return []gosnmp.SnmpPDU{inside(".1"), inside(".1")} }, -1},
		"for ever": {func(at string) []gosnmp.SnmpPDU {
			return []gosnmp.SnmpPDU{{Name: at + ".1", Type: gosnmp.Integer, Value: 1}}
		}, -1},
		"nothing": {func(string) []gosnmp.SnmpPDU { return nil }, -1},
	} {
		p := &Peer{node: answers{say: c.say}}
		if all, err := p.SNMP(context.Background()); (err != nil) != (c.want < 0) || err == nil && len(all) != c.want {
			t.Errorf("%s: %d, %v", name, len(all), err)
		}
	}
}
