package sadb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at is a time so many seconds after t0.
func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

func selector(src, dst string) policy.Selector {
	return policy.Selector{Source: netip.MustParsePrefix(src), Destination: netip.MustParsePrefix(dst)}
}

var anyTen = selector("10.0.0.0/8", "10.0.0.0/8")

// sa is a GCM SA whose key follows from its SPI.
func sa(spi uint32, sel policy.Selector, lifetime time.Duration) policy.TrafficSA {
	return policy.TrafficSA{
		SPI: spi, Selector: sel, Lifetime: lifetime,
		Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel},
		CipherKey: fmt.Appendf(nil, "%020d", spi),
	}
}

func flow(src, dst string) Flow {
	return Flow{Source: netip.MustParseAddr(src), Destination: netip.MustParseAddr(dst), Protocol: 17, SourcePort: 1000, DestinationPort: 2000}
}

var tenFlow = flow("10.1.0.1", "10.2.0.1")

func switches(t *testing.T, name, mutation string) *rule.Switches {
	t.Helper()
	s := new(rule.Switches)
	if err := s.Set(name, mutation); err != nil {
		t.Fatal(err)
	}
	return s
}

func install(t *testing.T, db *DB, now time.Time, s policy.TrafficSA, o Options) *Entry {
	t.Helper()
	if !o.ESP.HasSID {
		o.ESP.HasSID, o.ESP.SID, o.ESP.SIDBits = true, 1, 8
	}
	e, err := db.Install(now, &s, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sends expects the SPI under which tenFlow is sent; 0 for none.
func sends(t *testing.T, db *DB, now time.Time, want uint32) {
	t.Helper()
	got := uint32(0)
	if e, ok := db.SelectOutbound(now, tenFlow); ok {
		got = e.Policy.SPI
		if !db.Sending(now, e) {
			t.Errorf("at %v: SPI %x sends, but Sending says no", now.Sub(t0), got)
		}
	}
	if got != want {
		t.Errorf("at %v: sends on SPI %x, want %x", now.Sub(t0), got, want)
	}
}

// receives expects whether the SPI is accepted.
func receives(t *testing.T, db *DB, now time.Time, spi uint32, want bool) {
	t.Helper()
	if _, ok := db.LookupInbound(now, spi, tenFlow.Destination, tenFlow.Source); ok != want {
		t.Errorf("at %v: SPI %x receives: %v, want %v", now.Sub(t0), spi, ok, want)
	}
}

// A rekey at 0 with an activation delay of 5 s and a deactivation delay of 10 s.
func TestRollover(t *testing.T) {
	db := New(nil)
	install(t, db, at(-100), sa(0x01, anyTen, time.Hour), Options{Generation: 1})
	install(t, db, at(0), sa(0x02, anyTen, time.Hour), Options{Generation: 2, SendFrom: at(5)})
	db.Replace(0, 2, at(5), at(10))

	for _, c := range []struct {
		when     float64
		sends    uint32
		old, new bool
	}{
		{0, 0x01, true, true},
		{4.999, 0x01, true, true},
		{5, 0x02, true, true},
		{9.999, 0x02, true, true},
		{10, 0x02, false, true},
		{3599, 0x02, false, true},
		{3600, 0, false, false},
	} {
		sends(t, db, at(c.when), c.sends)
		receives(t, db, at(c.when), 0x01, c.old)
		receives(t, db, at(c.when), 0x02, c.new)
	}
	if deadline, ok := db.Deadline(); !ok || !deadline.Equal(at(10)) {
		t.Errorf("deadline %v, %v", deadline, ok)
	}
	db.Expire(at(10))
	if n := len(db.Entries()); n != 1 {
		t.Errorf("%d entries after the end of the old one", n)
	}
}

// Whatever becomes of the new SA, nothing is sent on the old one again.
func TestNeverGoesBack(t *testing.T) {
	for _, replace := range []bool{true, false} {
		db := New(nil)
		install(t, db, at(0), sa(0x01, anyTen, time.Hour), Options{Generation: 1})
		install(t, db, at(0), sa(0x02, anyTen, 20*time.Second), Options{Generation: 2, SendFrom: at(5)})
		if replace {
			db.Replace(0, 2, at(5), time.Time{})
		}
		sends(t, db, at(4), 0x01)
		sends(t, db, at(5), 0x02)
		sends(t, db, at(20), 0) // the new one has ended before the old one
		receives(t, db, at(20), 0x01, true)
		db.Remove(0, policy.ProtocolESP, 0x02)
		sends(t, db, at(6), 0)
	}
	db := New(switches(t, "sadb.outbound.newest", "broken"))
	install(t, db, at(0), sa(0x01, anyTen, time.Hour), Options{Generation: 1})
	install(t, db, at(0), sa(0x02, anyTen, time.Hour), Options{Generation: 2})
	if e, _ := db.SelectOutbound(at(1), tenFlow); e.Policy.SPI != 0x01 {
		t.Error("the mutant does not stay on the old SA")
	}
}

// Rekeys faster than the activation delay: each SA sends until the next one starts.
func TestRekeyDuringRollover(t *testing.T) {
	db := New(nil)
	install(t, db, at(-1), sa(0x01, anyTen, time.Hour), Options{Generation: 1})
	for i, start := range []float64{5, 7} {
		install(t, db, at(start-5), sa(uint32(i+2), anyTen, time.Hour), Options{Generation: uint64(i + 2), SendFrom: at(start)})
		db.Replace(0, uint64(i+2), at(start), at(start+5))
	}
	for when, want := range map[float64]uint32{0: 1, 4.9: 1, 5: 2, 6.9: 2, 7: 3, 100: 3} {
		sends(t, db, at(when), want)
	}
	receives(t, db, at(9.9), 1, true)
	receives(t, db, at(10), 1, false)
	receives(t, db, at(11.9), 2, true)
	receives(t, db, at(12), 2, false)
}

func TestReplaceBySelector(t *testing.T) {
	other := selector("10.0.0.0/8", "239.1.1.1/32")
	spis := func(db *DB, now time.Time) (alive []uint32) {
		for _, e := range db.Entries() {
			if e.lives(now) {
				alive = append(alive, e.Policy.SPI)
			}
		}
		return alive
	}
	db := New(nil)
	install(t, db, at(0), sa(1, anyTen, time.Hour), Options{Generation: 1})
	install(t, db, at(0), sa(2, other, time.Hour), Options{Generation: 1})
	install(t, db, at(1), sa(3, anyTen, time.Hour), Options{Generation: 2})
	db.Replace(0, 2, at(1), at(2))
	if got := fmt.Sprint(spis(db, at(3))); got != "[3 2]" {
		t.Errorf("an equal selector: %s are left", got)
	}
	install(t, db, at(4), sa(4, selector("172.16.0.0/12", "172.16.0.0/12"), time.Hour), Options{Generation: 3})
	db.Replace(0, 3, at(4), at(5))
	if got := fmt.Sprint(spis(db, at(6))); got != "[4]" {
		t.Errorf("no equal selector: %s are left", got)
	}
	if _, ok := db.SelectOutbound(at(4), tenFlow); ok {
		t.Error("a replaced SA still sends after its time")
	}
}

func TestFirstMatchWithinAGeneration(t *testing.T) {
	db := New(nil)
	narrow := selector("10.1.0.0/16", "10.2.0.0/16")
	install(t, db, at(0), sa(1, narrow, time.Hour), Options{Generation: 1})
	install(t, db, at(0), sa(2, anyTen, time.Hour), Options{Generation: 1})
	sends(t, db, at(1), 1)
	if e, ok := db.SelectOutbound(at(1), flow("10.9.0.1", "10.2.0.1")); !ok || e.Policy.SPI != 2 {
		t.Error("a flow of the second selector")
	}
	// Two SAs for one selector, as a member may get that registers during a rollover: the one that lives longer counts.
	install(t, db, at(0), sa(3, narrow, 2*time.Hour), Options{Generation: 1})
	sends(t, db, at(1), 3)
}

func TestLifetime(t *testing.T) {
	for mutation, ends := range map[string]float64{"none": 100, "up": 101, "down": 99} {
		db := New(switches(t, "sadb.lifetime", mutation))
		install(t, db, at(0), sa(1, anyTen, 100*time.Second), Options{})
		sends(t, db, at(ends-0.001), 1)
		sends(t, db, at(ends), 0)
		receives(t, db, at(ends-0.001), 1, true)
		receives(t, db, at(ends), 1, false)
		if deadline, _ := db.Deadline(); !deadline.Equal(at(ends)) {
			t.Errorf("%s: deadline %v", mutation, deadline.Sub(t0))
		}
	}
	if _, ok := New(nil).Deadline(); ok {
		t.Error("an empty DB has a deadline")
	}
}

func TestDirections(t *testing.T) {
	for _, c := range []struct {
		direction     policy.Direction
		mutant        string
		sends, receiv bool
	}{
		{policy.DirectionAbsent, "", true, true},
		{policy.DirectionSymmetric, "", true, true},
		{policy.DirectionSenderOnly, "", true, false},
		{policy.DirectionReceiverOnly, "", false, true},
		{policy.DirectionSenderOnly, "sadb.direction.receive", true, true},
		{policy.DirectionReceiverOnly, "sadb.direction.send", true, true},
	} {
		var rules *rule.Switches
		if c.mutant != "" {
			rules = switches(t, c.mutant, "off")
		}
		db := New(rules)
		s := sa(1, anyTen, time.Hour)
		s.Transform.Direction = c.direction
		install(t, db, at(0), s, Options{})
		if _, ok := db.SelectOutbound(at(1), tenFlow); ok != c.sends {
			t.Errorf("direction %d %s: sends %v", c.direction, c.mutant, ok)
		}
		receives(t, db, at(1), 1, c.receiv)
	}
}

// A registration during a rollover brings the old SA and the new one, in either order. The member sends on the new one, and
// when that has been deleted on neither.
func TestOldAndNewTogether(t *testing.T) {
	old, young := sa(1, anyTen, 50*time.Second), sa(2, anyTen, time.Hour)
	for _, order := range [][]policy.TrafficSA{{old, young}, {young, old}} {
		db := New(nil)
		install(t, db, at(-60), old, Options{Generation: 1})
		for _, s := range order {
			install(t, db, at(0), s, Options{Generation: 2, SendFrom: at(5)})
		}
		db.Replace(0, 2, at(5), time.Time{})
		sends(t, db, at(4), 1)
		sends(t, db, at(5), 2)
		receives(t, db, at(49), 1, true)
		db.Remove(0, policy.ProtocolESP, 2)
		sends(t, db, at(6), 0)
	}
}

// A receiver-only SA takes nothing over from one that sends.
func TestReceiverOnlyDoesNotSupersede(t *testing.T) {
	db := New(nil)
	install(t, db, at(0), sa(1, anyTen, time.Hour), Options{Generation: 1})
	s := sa(2, anyTen, time.Hour)
	s.Transform.Direction = policy.DirectionReceiverOnly
	install(t, db, at(0), s, Options{Generation: 2})
	sends(t, db, at(1), 1)
}

func TestReceivesAtOnce(t *testing.T) {
	late := Options{SendFrom: at(5)}
	db := New(nil)
	install(t, db, at(0), sa(1, anyTen, time.Hour), late)
	receives(t, db, at(0), 1, true)
	sends(t, db, at(0), 0)
	db = New(switches(t, "sadb.inbound.early", "broken"))
	install(t, db, at(0), sa(1, anyTen, time.Hour), late)
	receives(t, db, at(4), 1, false)
	receives(t, db, at(5), 1, true)
}

func TestLongestMatch(t *testing.T) {
	db := New(nil)
	entries := map[string]*Entry{}
	for i, sel := range []policy.Selector{
		selector("0.0.0.0/0", "0.0.0.0/0"), selector("10.0.0.0/8", "239.1.1.1/32"),
		selector("10.1.0.1/32", "239.1.1.1/32"), selector("10.0.0.0/8", "10.2.0.0/16"),
	} {
		s := sa(0x77, sel, time.Hour)
		s.CipherKey = fmt.Appendf(nil, "%020d", i) // four groups that chose the same SPI
		entries[[]string{"SPI", "group", "source and group", "unicast"}[i]] = install(t, db, at(0), s, Options{})
	}
	for _, c := range []struct{ src, dst, want string }{
		{"10.1.0.1", "239.1.1.1", "source and group"},
		{"10.1.0.2", "239.1.1.1", "group"},
		{"10.1.0.1", "239.1.1.2", "SPI"},
		{"10.1.0.1", "10.2.3.4", "unicast"},
		{"10.1.0.1", "10.3.3.4", "SPI"},
		{"192.0.2.1", "192.0.2.2", "SPI"},
	} {
		e, ok := db.LookupInbound(at(1), 0x77, netip.MustParseAddr(c.dst), netip.MustParseAddr(c.src))
		if !ok || e != entries[c.want] {
			t.Errorf("%s -> %s: not the entry by %s", c.src, c.dst, c.want)
		}
	}
	if _, ok := db.LookupInbound(at(1), 0x78, tenFlow.Destination, tenFlow.Source); ok {
		t.Error("an unknown SPI was found")
	}
	// A multicast SA is not found by its SPI alone, a unicast one is.
	db = New(nil)
	install(t, db, at(0), sa(1, selector("10.1.0.1/32", "239.1.1.1/32"), time.Hour), Options{})
	receives(t, db, at(1), 1, false)
	install(t, db, at(0), sa(2, selector("172.16.0.0/12", "172.16.0.0/12"), time.Hour), Options{})
	receives(t, db, at(1), 2, true)
}

// Outer addresses that an SA does not preserve are those of gateways and say nothing of its flows.
func TestLookupByPreservedAddresses(t *testing.T) {
	const source, group, gateway, peer = "10.1.0.1", "239.1.1.1", "192.0.2.1", "192.0.2.2"
	for _, c := range []struct {
		preserve policy.Preservation
		takes    map[[2]string]bool // by outer source and destination
	}{
		{policy.PreserveBoth, map[[2]string]bool{{source, group}: true, {gateway, group}: false, {source, peer}: false}},
		{policy.PreserveDestination, map[[2]string]bool{{source, group}: true, {gateway, group}: true, {gateway, peer}: false}},
		{policy.PreserveSource, map[[2]string]bool{{source, peer}: true, {gateway, peer}: false}},
		{policy.PreserveNone, map[[2]string]bool{{gateway, peer}: true}},
	} {
		db, s := New(nil), sa(1, selector(source+"/32", group+"/32"), time.Hour)
		s.Transform.Preservation = c.preserve
		install(t, db, at(0), s, Options{})
		for outer, want := range c.takes {
			if _, ok := db.LookupInbound(at(1), 1, netip.MustParseAddr(outer[1]), netip.MustParseAddr(outer[0])); ok != want {
				t.Errorf("preservation %d: %v -> %v is found: %v", c.preserve, outer[0], outer[1], ok)
			}
		}
	}
}

// The same SA for two selectors: one sequence of numbers and IVs.
func TestSelectorsShareAnSA(t *testing.T) {
	db := New(nil)
	a := install(t, db, at(0), sa(1, anyTen, time.Hour), Options{})
	b := install(t, db, at(0), sa(1, selector("172.16.0.0/12", "10.0.0.0/8"), time.Hour), Options{})
	if a.SA != b.SA {
		t.Fatal("two counters under one key")
	}
	if !db.Covers(at(1), a, flow("172.16.0.1", "10.0.0.1")) || db.Covers(at(1), a, flow("192.0.2.1", "10.0.0.1")) {
		t.Error("Covers does not look at all selectors of the SA, or at more")
	}
	if n := len(db.Entries()); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// A member that registers again gets the SAs it has: they go on, with the new SID and lifetime.
func TestInstallAgain(t *testing.T) {
	db := New(nil)
	first := install(t, db, at(0), sa(1, anyTen, 100*time.Second), Options{Generation: 1})
	for range 3 {
		if _, err := first.SA.Seal(nil, nil, esp.NextIPv4); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Generation: 2, SendFrom: at(55), ESP: esp.Options{HasSID: true, SID: 2, SIDBits: 8}}
	again := install(t, db, at(50), sa(1, anyTen, 90*time.Second), o)
	if again.SA != first.SA || len(db.Entries()) != 1 {
		t.Fatal("the SA was made anew")
	}
	if !again.Expiry.Equal(at(140)) || !again.SendFrom.Equal(at(0)) || again.Generation != 2 {
		t.Errorf("entry %+v", again)
	}
	packet, err := again.SA.Seal(nil, nil, esp.NextIPv4)
	if err != nil || binary.BigEndian.Uint32(packet[4:]) != 4 || binary.BigEndian.Uint64(packet[8:]) != 2<<56 {
		t.Errorf("the next packet is %x, %v", packet, err)
	}

	other := sa(1, anyTen, time.Hour)
	other.CipherKey = []byte("another key, 20 long")
	if e := install(t, db, at(60), other, Options{Generation: 3}); e.SA == first.SA || len(db.Entries()) != 1 {
		t.Error("another key under the same SPI did not take the place of the old one")
	}
}

func TestSetSIDAndRemove(t *testing.T) {
	db := New(nil)
	for spi := uint32(1); spi <= 3; spi++ {
		install(t, db, at(0), sa(spi, selector(fmt.Sprintf("10.%d.0.0/16", spi), "10.0.0.0/8"), time.Hour), Options{})
	}
	if err := db.SetSID(0, 9, 12); err != nil {
		t.Fatal(err)
	}
	for _, e := range db.Entries() {
		if packet, err := e.SA.Seal(nil, nil, 4); err != nil || binary.BigEndian.Uint16(packet[8:]) != 9<<4 {
			t.Errorf("SPI %d: %x, %v", e.Policy.SPI, packet, err)
		}
	}
	if err := db.SetSID(0, 9, 0); !errors.Is(err, esp.ErrSID) {
		t.Errorf("SID of no bits: %v", err)
	}
	db.Remove(0, policy.ProtocolESP, 2)
	if got := len(db.Entries()); got != 2 {
		t.Errorf("%d entries after Remove", got)
	}
	if !db.Knows(at(1), flow("10.1.0.1", "10.2.0.1")) || db.Knows(at(1), flow("10.2.0.1", "10.1.0.1")) ||
		db.Knows(at(3600), flow("10.1.0.1", "10.2.0.1")) {
		t.Error("Knows")
	}
	db.RemoveAll(0, policy.ProtocolESP)
	if got := len(db.Entries()); got != 0 {
		t.Errorf("%d entries after RemoveAll", got)
	}
}

func TestInstallRefuses(t *testing.T) {
	db := New(nil)
	s := sa(1, anyTen, time.Hour)
	s.CipherKey = s.CipherKey[:5]
	if _, err := db.Install(at(0), &s, Options{}); !errors.Is(err, esp.ErrTransform) || len(db.Entries()) != 0 {
		t.Errorf("%v, %d entries", err, len(db.Entries()))
	}
}

// An SA that is handed out again is still one that has just been used.
func TestUse(t *testing.T) {
	db := New(nil)
	e := install(t, db, t0, sa(1, anyTen, time.Hour), Options{})
	if !e.Used.IsZero() {
		t.Errorf("used at %v", e.Used)
	}
	e.Use(at(5))
	if again := install(t, db, at(6), sa(1, anyTen, time.Hour), Options{}); again == e || !again.Used.Equal(at(5)) {
		t.Errorf("used at %v", again.Used)
	}
}

// TestRelieves: a new SA takes over from an older one that sends for some of its flows, and not from one that no longer
// does, never did, or came with it.
func TestRelieves(t *testing.T) {
	db := New(nil)
	listener := sa(7, selector("10.9.0.0/16", "10.9.0.0/16"), time.Hour)
	listener.Transform.Direction = policy.DirectionReceiverOnly
	install(t, db, t0, sa(1, anyTen, time.Minute), Options{Generation: 1})
	for _, c := range []struct {
		name       string
		after      float64
		sel        policy.Selector
		generation uint64
		want       bool
	}{
		{"the same flow", 1, anyTen, 2, true},
		{"part of it", 1, selector("10.1.0.0/16", "10.1.0.0/16"), 2, true},
		{"another flow", 1, selector("192.0.2.0/24", "10.0.0.0/8"), 2, false},
		{"beside it", 1, anyTen, 1, false},
		{"after its end", 60, anyTen, 2, false},
	} {
		if got := db.Relieves(at(c.after), 0, c.sel, c.generation); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	install(t, db, t0, sa(2, anyTen, time.Hour), Options{Generation: 2, SendFrom: at(5)})
	db.Remove(0, policy.ProtocolESP, 2)
	if !db.Relieves(at(4), 0, anyTen, 3) || db.Relieves(at(5), 0, anyTen, 3) {
		t.Error("the first SA has been sending until 5 s, and no longer")
	}
	db.RemoveAll(0, policy.ProtocolESP)
	install(t, db, t0, listener, Options{Generation: 4})
	if db.Relieves(t0, 0, listener.Selector, 5) {
		t.Error("an SA that only receives is relieved")
	}
}

// Entries with the same selector share it as long as one of them is there, and do not share it with what the caller has.
func TestFlow(t *testing.T) {
	db, other := New(nil), selector("10.0.0.0/8", "10.0.0.0/9")
	first := install(t, db, at(0), sa(0x1001, anyTen, time.Minute), Options{Group: 1})
	flow := db.Flow(&anyTen)
	if flow == nil || *flow != anyTen || flow == &anyTen || flow == &first.Policy.Selector {
		t.Fatalf("%v", flow)
	}
	install(t, db, at(30), sa(0x1002, anyTen, time.Minute), Options{Group: 2})
	if db.Expire(at(60)); db.Flow(&anyTen) != flow {
		t.Error("it has moved with the first entry gone")
	}
	if db.Flow(&other) != nil {
		t.Error("of one that is not there")
	}
	if db.Expire(at(90)); db.Flow(&anyTen) != nil {
		t.Error("of one that is gone")
	}
}

// A group has the selectors of its own entries, as long as they are there.
func TestHas(t *testing.T) {
	db, other := New(nil), selector("10.0.0.0/8", "10.0.0.0/9")
	install(t, db, at(0), sa(0x1001, anyTen, time.Minute), Options{Group: 1})
	if !db.Has(1, anyTen) || db.Has(0, anyTen) || db.Has(1, other) {
		t.Error("of the one that is there")
	}
	if db.Expire(at(60)); db.Has(1, anyTen) {
		t.Error("of one that is gone")
	}
}
