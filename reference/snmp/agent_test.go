package snmp

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/policy"
)

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	users = []policy.SNMPUser{
		{Name: "sha1", Password: "authentication", Privacy: "encryption"},
		{Name: "sha256", Hash: policy.SNMPSHA256, Password: "authentication", Privacy: "encryption"},
		{Name: "sha512", Hash: policy.SNMPSHA512, Password: "authentication", Privacy: "encryption"},
	}
	shown = mib.Member(control.GMStatus{Time: start, Address: "192.0.2.9:848", GMGroup: control.GMGroup{
		Group: 1234, KeyServer: "192.0.2.1:848", Rekey: strings.Repeat("0a", 16), Sequence: 6, KEK: &control.KEK{}, SAs: []control.SA{{SPI: "00000100"}},
	}}, false)
)

// random is as good as any for one start of an engine.
func random() *strings.Reader { return strings.NewReader("twelve octets") }

func newAgent(t testing.TB, cfg policy.SNMP) *Agent {
	t.Helper()
	a, err := New(cfg, random(), start, func() (mib.Table, error) { return shown, nil })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func both(t testing.TB) *Agent { return newAgent(t, policy.SNMP{Community: "public", Users: users}) }

// served is an agent that listens, and the time that it takes messages for to have come at.
type served struct {
	agent *Agent
	mu    sync.Mutex // of the agent and the time
	later time.Duration
	port  uint16
}

func serve(t testing.TB, a *Agent) *served {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &served{agent: a, port: conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()}
	done := make(chan bool)
	go func() {
		defer close(done)
		for buffer := make([]byte, 65535); ; {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			s.mu.Lock()
			answer, err := a.Answer(start.Add(s.later), buffer[:n])
			s.mu.Unlock()
			if err == nil {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return s
}

// wait lets time pass for the agent.
func (s *served) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.later += d
}

// sent counts the reports of a sort.
func (s *served) sent(report uint32) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agent.reports[report]
}

// ask connects a client, which waits for an answer as long as one may take here.
func (s *served) ask(t testing.TB, c *gosnmp.GoSNMP) *gosnmp.GoSNMP {
	t.Helper()
	c.Target, c.Port, c.Timeout, c.MaxOids = "127.0.0.1", s.port, 500*time.Millisecond, 60
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// v2 is a client of SNMPv2c.
func (s *served) v2(t testing.TB, community string) *gosnmp.GoSNMP {
	t.Helper()
	return s.ask(t, &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: community})
}

// v3 is a client of SNMPv3 that knows these passwords.
func (s *served) v3(t testing.TB, u policy.SNMPUser, level gosnmp.SnmpV3MsgFlags) *gosnmp.GoSNMP {
	t.Helper()
	return s.ask(t, &gosnmp.GoSNMP{
		Version: gosnmp.Version3, MsgFlags: level, SecurityModel: gosnmp.UserSecurityModel,
		SecurityParameters: &gosnmp.UsmSecurityParameters{
			UserName: u.Name, AuthenticationProtocol: hashes[u.Hash], AuthenticationPassphrase: u.Password,
			PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: u.Privacy,
		},
	})
}

// everything that a client sees has to be what is shown.
func everything(t *testing.T, walk func(string) ([]gosnmp.SnmpPDU, error)) {
	t.Helper()
	got, err := walk(mib.Root.String())
	if err != nil {
		t.Fatal(err)
	}
	want := shown.Objects()
	if len(got) != len(want) {
		t.Fatalf("%d objects, want %d", len(got), len(want))
	}
	for i, o := range want {
		b := bound(o)
		octets, ok := got[i].Value.([]byte)
		same := ok && bytes.Equal(octets, o.Value.Octets) || !ok && gosnmp.ToBigInt(got[i].Value).Uint64() == uint64(o.Value.Number)
		if got[i].Name != b.Name || got[i].Type != b.Type || !same {
			t.Errorf("%+v, want %+v", got[i], b)
		}
	}
}

func TestWalk(t *testing.T) {
	s := serve(t, both(t))
	for _, c := range []*gosnmp.GoSNMP{s.v2(t, "public"), s.v3(t, users[0], gosnmp.AuthPriv), s.v3(t, users[1], gosnmp.AuthPriv), s.v3(t, users[2], gosnmp.AuthPriv)} {
		everything(t, c.WalkAll)
		everything(t, c.BulkWalkAll)
		s.wait(time.Hour)
	}
}

func TestGet(t *testing.T) {
	c := serve(t, both(t)).v2(t, "public")
	first := shown.Objects()[0].OID.String()
	got, err := c.Get([]string{first, first + ".1", ".1.3.6.1.2.1.1.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	var types []gosnmp.Asn1BER
	for _, v := range got.Variables {
		types = append(types, v.Type)
	}
	if !slices.Equal(types, []gosnmp.Asn1BER{gosnmp.Gauge32, gosnmp.NoSuchInstance, gosnmp.NoSuchObject}) {
		t.Errorf("%v", types)
	}
	last := shown.Objects()[len(shown.Objects())-1].OID.String()
	if got, err = c.GetNext([]string{last}); err != nil || got.Variables[0].Type != gosnmp.EndOfMibView {
		t.Errorf("%+v, %v", got, err)
	}
}

// One step from the first, and steps from both of the others in turn until all have ended.
func TestGetBulk(t *testing.T) {
	c := serve(t, both(t)).v2(t, "public")
	objects := shown.Objects()
	last := objects[len(objects)-2].OID.String()
	got, err := c.GetBulk([]string{mib.Root.String(), mib.Root.String(), last}, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range got.Variables {
		names = append(names, v.Name)
	}
	end := objects[len(objects)-1].OID.String()
	want := []string{objects[0].OID.String(), objects[0].OID.String(), end, objects[1].OID.String(), end, objects[2].OID.String(), end}
	if !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	if got, err = c.GetBulk([]string{last}, 0, 60); err != nil || len(got.Variables) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSetIsRefused(t *testing.T) {
	got, err := serve(t, both(t)).v2(t, "public").Set([]gosnmp.SnmpPDU{{Name: shown.Objects()[0].OID.String(), Type: gosnmp.Integer, Value: 1}})
	if err != nil || got.Error != gosnmp.NotWritable {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whoever has not the community or the passwords is told nothing.
func TestRefused(t *testing.T) {
	s := serve(t, both(t))
	wrong, private, stranger := users[1], users[1], users[0]
	wrong.Password, private.Privacy, stranger.Name = "something else", "something else", "stranger"
	old := s.v2(t, "public")
	old.Version = gosnmp.Version1
	for name, c := range map[string]*gosnmp.GoSNMP{
		"community": s.v2(t, "private"), "version 1": old,
		"no users":       serve(t, newAgent(t, policy.SNMP{Community: "public"})).v3(t, users[0], gosnmp.AuthPriv),
		"no community":   serve(t, newAgent(t, policy.SNMP{Users: users})).v2(t, ""),
		"other user":     s.v3(t, stranger, gosnmp.AuthPriv),
		"other password": s.v3(t, wrong, gosnmp.AuthPriv), "other privacy": s.v3(t, private, gosnmp.AuthPriv),
	} {
		if got, err := c.Get([]string{shown.Objects()[0].OID.String()}); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if s.sent(unknownUser) == 0 || s.sent(wrongDigest) < 2 || s.sent(unknownEngine) == 0 {
		t.Errorf("%v", s.agent.reports)
	}
}

// A user's message has to be encrypted.
func TestLevel(t *testing.T) {
	s := serve(t, both(t))
	for i, level := range []gosnmp.SnmpV3MsgFlags{gosnmp.NoAuthNoPriv, gosnmp.AuthNoPriv} {
		if got, err := s.v3(t, users[0], level).Get([]string{mib.Root.String()}); err == nil || s.sent(unsupportedLevel) != uint32(i+1) {
			t.Errorf("%v: %+v, %v", level, got, err)
		}
	}
}

// A message that is too old is answered with the engine's time, and then the client is right.
func TestTimeWindow(t *testing.T) {
	s := serve(t, both(t))
	c := s.v3(t, users[1], gosnmp.AuthPriv)
	at := []string{shown.Objects()[0].OID.String()}
	for _, step := range []struct {
		wait    time.Duration
		reports uint32
	}{{0, 0}, {window * time.Second, 0}, {(window + 1) * time.Second, 1}, {0, 1}} {
		s.wait(step.wait)
		if got, err := c.Get(at); err != nil || got.PDUType != gosnmp.GetResponse || s.sent(notInWindow) != step.reports {
			t.Errorf("%s later: %+v, %v, %d reports", step.wait, got, err, s.sent(notInWindow))
		}
	}
}

// The same plaintext never leaves twice alike.
func TestSalt(t *testing.T) {
	a := both(t)
	c := serve(t, a).v3(t, users[1], gosnmp.AuthPriv)
	at := []string{shown.Objects()[0].OID.String()}
	if _, err := c.Get(at); err != nil {
		t.Fatal(err)
	}
	request, err := c.SnmpEncodePacket(gosnmp.GetRequest, []gosnmp.SnmpPDU{{Name: at[0], Type: gosnmp.Null}}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := a.Answer(start, request)
	two, err2 := a.Answer(start, request)
	if err := errors.Join(err1, err2); err != nil || bytes.Equal(one, two) {
		t.Errorf("%x, %v", one, err)
	}
}

func TestNoView(t *testing.T) {
	gone := errors.New("gone")
	a, err := New(policy.SNMP{Community: "public"}, random(), start, func() (mib.Table, error) { return mib.Table{}, gone })
	if err != nil {
		t.Fatal(err)
	}
	request := encoded(t, gosnmp.GetRequest, mib.Root.String())
	if _, err := a.Answer(start, request); !errors.Is(err, gone) {
		t.Error(err)
	}
	if _, err := New(policy.SNMP{}, strings.NewReader("short"), start, nil); err == nil {
		t.Error("no randomness, but no error")
	}
}

// encoded is a message of SNMPv2c.
func encoded(t testing.TB, kind gosnmp.PDUType, names ...string) []byte {
	t.Helper()
	var asked []gosnmp.SnmpPDU
	for _, name := range names {
		asked = append(asked, gosnmp.SnmpPDU{Name: name, Type: gosnmp.Null})
	}
	c := &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public"}
	message, err := c.SnmpEncodePacket(kind, asked, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func TestIgnored(t *testing.T) {
	a := both(t)
	for name, message := range map[string][]byte{
		"nothing": nil, "octets": []byte("hello"), "a trap": encoded(t, gosnmp.SNMPv2Trap, mib.Root.String()),
		"a response": encoded(t, gosnmp.GetResponse, mib.Root.String()),
		"too many":   encoded(t, gosnmp.GetRequest, slices.Repeat([]string{mib.Root.String()}, maxBindings+1)...),
	} {
		if answer, err := a.Answer(start, message); !errors.Is(err, ErrIgnored) || answer != nil {
			t.Errorf("%s: %x, %v", name, answer, err)
		}
	}
}

// Every message that was cut is ignored, or reported without anything of what was asked for.
func TestTruncated(t *testing.T) {
	a := both(t)
	plain := encoded(t, gosnmp.GetRequest, mib.Root.String())
	c := serve(t, a).v3(t, users[1], gosnmp.AuthPriv)
	if _, err := c.Get([]string{mib.Root.String()}); err != nil {
		t.Fatal(err)
	}
	secret, err := c.SnmpEncodePacket(gosnmp.GetRequest, []gosnmp.SnmpPDU{{Name: mib.Root.String(), Type: gosnmp.Null}}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{plain, secret} {
		for n := range whole {
			if answer, err := a.answer(start, whole[:n:n]); err == nil && answer.PDUType != gosnmp.Report {
				t.Errorf("%d octets of %x: %+v", n, whole, answer)
			}
		}
	}
}

// FuzzAnswer: whatever comes, the agent goes on, and answers with what can be read.
func FuzzAnswer(f *testing.F) {
	a := both(f)
	for _, kind := range []gosnmp.PDUType{gosnmp.GetRequest, gosnmp.GetNextRequest, gosnmp.GetBulkRequest, gosnmp.SetRequest, gosnmp.SNMPv2Trap, gosnmp.Report} {
		f.Add(encoded(f, kind, mib.Root.String(), shown.Objects()[0].OID.String()))
	}
	c := serve(f, a).v3(f, users[1], gosnmp.AuthPriv)
	if _, err := c.Get([]string{mib.Root.String()}); err != nil {
		f.Fatal(err)
	}
	for _, level := range []gosnmp.SnmpV3MsgFlags{gosnmp.NoAuthNoPriv, gosnmp.AuthNoPriv, gosnmp.AuthPriv} {
		c.MsgFlags = level
		message, err := c.SnmpEncodePacket(gosnmp.GetNextRequest, []gosnmp.SnmpPDU{{Name: mib.Root.String(), Type: gosnmp.Null}}, 0, 0)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
	}
	reader := gosnmp.GoSNMP{Version: gosnmp.Version2c}
	f.Fuzz(func(t *testing.T, message []byte) {
		kept := bytes.Clone(message)
		answer, err := a.Answer(start, message)
		if !bytes.Equal(kept, message) {
			t.Fatal("the message was written into")
		}
		if err != nil || peek(answer).Version == gosnmp.Version3 {
			return
		}
		if r, err := reader.UnmarshalTrap(answer, false); err != nil || r.PDUType != gosnmp.GetResponse {
			t.Errorf("%x became %x: %v", message, answer, err)
		}
	})
}
