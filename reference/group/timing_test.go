package group

import (
	"testing"
	"time"
)

// unicastTo is a delivery to so many members one by one, with repetitions each 10 s; multicast is one to all at once.
func unicastTo(members, copies int) delivery {
	return delivery{unicast: true, members: members, copies: copies, interval: 10 * time.Second}
}

func multicast(copies int) delivery { return delivery{copies: copies, interval: 10 * time.Second} }

// The offsets of GETVPN-UCAST-05.
func TestTEKOffset(t *testing.T) {
	for lifetime, want := range map[float64]float64{300: 90, 899: 90, 900: 90, 901: 90.1, 3600: 360} {
		if got := tekOffset(seconds(lifetime)); got != seconds(want) {
			t.Errorf("of %v s: %v, want %v s", lifetime, got, want)
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// The loops of GETVPN-UCAST-03.
func TestLoops(t *testing.T) {
	for members, want := range map[int]int{0: 0, 1: 1, 2: 1, 49: 1, 50: 1, 51: 2, 100: 2, 101: 3} {
		if got := unicastTo(members, 0).loops(); got != want {
			t.Errorf("%d members: %d loops, want %d", members, got, want)
		}
	}
}

// The rekeys of TEKs of GETVPN-MCAST-04 and GETVPN-UCAST-04, counted from the start of the TEK, and what a device shows (getvpn-facts §1).
func TestTEKLead(t *testing.T) {
	for _, c := range []struct {
		lifetime float64
		delivery delivery
		start    float64
	}{
		{300, multicast(3), 180},
		{3600, multicast(3), 3210},
		{300, multicast(0), 210},
		{3600, multicast(0), 3240},
		{300, unicastTo(100, 0), 200},
		{300, unicastTo(100, 3), 170},
		{3600, unicastTo(100, 0), 3230},
		{3600, unicastTo(100, 3), 3200},
		{600, unicastTo(2, 3), 475},
	} {
		if got := seconds(c.lifetime) - tekLead(seconds(c.lifetime), c.delivery); got != seconds(c.start) {
			t.Errorf("%v s, %+v: after %v, want %v s", c.lifetime, c.delivery, got, c.start)
		}
	}
}

// The rekeys of KEKs of GETVPN-KEK-04.
func TestKEKLead(t *testing.T) {
	for _, c := range []struct {
		lifetime         float64
		copies, members  int
		unicast, grouped float64
	}{
		{86400, 2, 0, 86175, 86180},
		{86400, 2, 49, 86175, 86180},
		{86400, 2, 50, 86170, 86180},
		{86400, 2, 100, 86165, 86180},
		{86400, 3, 1000, 86065, 86170},
		{3600, 0, 100, 3385, 3400},
		{300, 0, 10, 95, 100},
		{1200, 3, 2, 1200 - 235, 970},
		{360, 2, 2, 360 - 225, 140},
	} {
		one, all := kekLeadOf(unicastTo(c.members, c.copies)), kekLeadOf(multicast(c.copies))
		if seconds(c.lifetime)-one != seconds(c.unicast) || seconds(c.lifetime)-all != seconds(c.grouped) {
			t.Errorf("%v s, %d members, %d copies: %v and %v before the end", c.lifetime, c.members, c.copies, one, all)
		}
		if one < 200*time.Second || all < 200*time.Second { // GETVPN-KEK-06
			t.Errorf("%v s: less than 200 s before the end", c.lifetime)
		}
	}
}

// However short a key lives, it is not replaced at once.
func TestBounded(t *testing.T) {
	for _, c := range []struct{ lead, lifetime, want float64 }{
		{115, 120, 90}, {125, 600, 125}, {200, 60, 45}, {90, 120, 90},
	} {
		if got := bounded(seconds(c.lead), seconds(c.lifetime)); got != seconds(c.want) {
			t.Errorf("%v s of %v s: %v", c.lead, c.lifetime, got)
		}
	}
}

// The rekey of a TEK is on the wire before the members register again, 60 s before its end (GETVPN-UCAST-07).
func TestBeforeReregistration(t *testing.T) {
	for lifetime := 90; lifetime < 4000; lifetime++ {
		life := seconds(float64(lifetime))
		if lead := bounded(tekLead(life, unicastTo(1, 0)), life); lead < 60*time.Second {
			t.Fatalf("%d s: %v before the end", lifetime, lead)
		}
	}
}
