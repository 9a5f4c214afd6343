package keyserver_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/keyserver"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	epoch     = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	ksAddress = netip.MustParseAddrPort("192.0.2.250:848")
	psk       = []byte("gdoi-psk")
)

const groupID = 1234

var signingKey = sync.OnceValue(func() []byte { return keyOf("ks1") })

// keyOf is one of the test keys.
func keyOf(name string) []byte {
	data, err := os.ReadFile("../../fixtures/keys/" + name + ".pem")
	if err != nil {
		panic(err)
	}
	der, err := policy.DecodeShortKey(data)
	if err != nil {
		panic(err)
	}
	return der
}

// quick is a suite of Phase 1 that costs little.
var quick = []policy.Proposal{{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA256, Group: policy.ECP256}}

// configuration is a key server with one group of 192.0.2.0/25: unicast, one GCM SA. Peers of 192.0.2.0/24 have the
// pre-shared key, so those from 192.0.2.128 on are authenticated and not authorised.
func configuration(change ...func(*policy.KeyServer)) policy.KeyServer {
	any10 := netip.MustParsePrefix("10.0.0.0/8")
	cfg := policy.KeyServer{
		Name: "ks", Address: ksAddress, SigningKey: signingKey(),
		Phase1: policy.Phase1{Proposals: quick, PSKs: []policy.PSK{{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: psk}}},
		Groups: []policy.Group{{
			Name: "g", ID: groupID, Members: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/25")},
			Rekey: policy.RekeyPolicy{Transport: policy.TransportUnicast},
			SAs: []policy.SAPolicy{{
				Selector:  policy.Selector{Source: any10, Destination: any10},
				Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel},
			}},
		}},
	}
	for _, c := range change {
		c(&cfg)
	}
	return cfg
}

func multicast(cfg *policy.KeyServer) {
	r := &cfg.Groups[0].Rekey
	r.Transport, r.Address = policy.TransportMulticast, netip.MustParseAddrPort("239.1.1.1:848")
}

func acknowledged(cfg *policy.KeyServer) { cfg.Groups[0].Rekey.Ack = policy.AckKEKSHA256 }

// signedBy has PUSH messages be signed by another test key.
func signedBy(name string) func(*policy.KeyServer) {
	return func(cfg *policy.KeyServer) { cfg.SigningKey = keyOf(name) }
}

func triple(cfg *policy.KeyServer) {
	cfg.Groups[0].Rekey.KEK = policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}
}

func acknowledgedSHA512(cfg *policy.KeyServer) { cfg.Groups[0].Rekey.Ack = policy.AckKEKSHA512 }

func noRekey(cfg *policy.KeyServer) {
	cfg.Groups[0].Rekey = policy.RekeyPolicy{Transport: policy.TransportNone}
	cfg.SigningKey = nil
}

// lab is a key server and a clock.
type lab struct {
	elsewhere netip.AddrPort // the key server is asked there
	t         testing.TB
	ks        *keyserver.KeyServer
	now       time.Time
	logs      []*core.Log
	logged    []time.Time // when the logs came
	secrets   []*core.Secret
	sent      []*core.Send  // of the last event
	spent     time.Duration // by the key server on events
	offers    []policy.Proposal
}

// newLab starts a key server; altered names guards and how they are altered, in turn.
func newLab(t testing.TB, cfg policy.KeyServer, tap core.Tap, altered ...string) *lab {
	t.Helper()
	rules := new(rule.Switches)
	for i := 0; i+1 < len(altered); i += 2 {
		if err := rules.Set(altered[i], altered[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	ks, err := keyserver.New(cfg, keyserver.Options{Rand: keymat.Seeded("ks"), Rules: rules, Tap: tap, Secrets: true})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, ks: ks, now: epoch, offers: cfg.Phase1.Proposals}
	l.handle(&core.Start{})
	return l
}

// handle hands an event to the key server and returns what it sends.
func (l *lab) handle(ev core.Event) []*core.Send {
	l.sent = nil
	began := time.Now()
	effects := l.ks.Handle(l.now, ev)
	l.spent += time.Since(began)
	for _, effect := range effects {
		switch e := effect.(type) {
		case *core.Send:
			l.sent = append(l.sent, e)
		case *core.Log:
			l.logs, l.logged = append(l.logs, e), append(l.logged, l.now)
		case *core.Secret:
			l.secrets = append(l.secrets, e)
		}
	}
	return l.sent
}

func (l *lab) deliver(from netip.AddrPort, data []byte) []*core.Send {
	return l.handle(&core.Datagram{From: from, To: l.server(), Data: data})
}

// server is the address at which members talk to the key server.
func (l *lab) server() netip.AddrPort {
	if l.elsewhere.IsValid() {
		return l.elsewhere
	}
	return ksAddress
}

// pass lets time pass, waking the key server at its deadlines, and returns what it sends meanwhile.
func (l *lab) pass(d time.Duration) (sent []*core.Send) {
	l.t.Helper()
	end := l.now.Add(d)
	for steps := 0; ; steps++ {
		at, ok := l.ks.Deadline()
		if !ok || at.After(end) {
			l.now = end
			return sent
		}
		if steps > 100000 {
			l.t.Fatal("the key server does not let time pass")
		}
		l.now = at
		sent = append(sent, l.handle(&core.Timer{})...)
	}
}

// command gives an operator's command; answer may be nil.
func (l *lab) command(name string, args, answer any) (sent []*core.Send, err error) {
	l.t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, effect := range l.ks.Handle(l.now, &core.Command{ID: 7, Name: name, Args: raw}) {
		switch e := effect.(type) {
		case *core.Send:
			sent = append(sent, e)
		case *core.Log:
			l.logs, l.logged = append(l.logs, e), append(l.logged, l.now)
		case *core.Secret:
			l.secrets = append(l.secrets, e)
		case *core.Reply:
			if e.ID != 7 {
				l.t.Errorf("reply to %d", e.ID)
			}
			if e.Err != "" {
				return sent, fmt.Errorf("%s", e.Err)
			}
			if answer != nil {
				err = json.Unmarshal(e.Body, answer)
			}
		}
	}
	return sent, err
}

func (l *lab) rekey(what control.RekeyArgs) []*core.Send {
	l.t.Helper()
	sent, err := l.command(control.Rekey, what, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return sent
}

func (l *lab) status() control.KSStatus {
	l.t.Helper()
	var s control.KSStatus
	if _, err := l.command(control.Status, nil, &s); err != nil {
		l.t.Fatal(err)
	}
	return s
}

// rejected says how many messages were refused for a requirement.
func (l *lab) rejected(id rule.ID) uint64 { return l.status().Rejects[string(id)] }

func (l *lab) tagged(tag string) (found []*core.Log) {
	for _, line := range l.logs {
		if line.Tag == tag {
			found = append(found, line)
		}
	}
	return found
}

func value(line *core.Log, name string) string {
	for _, f := range line.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
