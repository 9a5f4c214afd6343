package group_test

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestSIDs(t *testing.T) {
	tests := []struct {
		name  string
		cfg   policy.Group
		asked []int
		want  [][]uint32
	}{
		{"one unless asked", unicast(), []int{0, 0, 0}, [][]uint32{{0}, {1}, {2}}},
		{"as many as asked", unicast(), []int{2, 1, 3}, [][]uint32{{0, 1}, {2}, {3, 4, 5}}},
		{"none without counter mode", unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{cbc} }), []int{0, 4}, [][]uint32{nil, nil}},
		{"one of two SAs", unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{cbc, gcm} }), []int{0}, [][]uint32{{0}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, test.cfg)
			for i, asked := range test.asked {
				var got []uint32
				if d := register(t, g, epoch, byte(i+1), asked).Download; d.SIDs != nil {
					got = d.SIDs.Values
				}
				if !slices.Equal(got, test.want[i]) {
					t.Errorf("registration %d: %v, want %v", i, got, test.want[i])
				}
			}
		})
	}
}

// TestNewSIDsEachTime: a member that registers again gets other SIDs (RFC 6407 §3.5).
func TestNewSIDsEachTime(t *testing.T) {
	g := newGroup(t, unicast())
	for want := range uint32(5) {
		if got := register(t, g, epoch, 1, 0).Download.SIDs.Values[0]; got != want {
			t.Errorf("SID %d, want %d", got, want)
		}
	}
	if n := len(g.Status(epoch).Members); n != 1 {
		t.Errorf("%d members", n)
	}
}

// TestSIDExhaustion hands out all SIDs of 8 bits. The next candidate is offered keys of a new epoch, and they are put in
// force when it has proven itself: everything is deleted, and the SIDs start from 0 (RFC 6407 §3.5).
func TestSIDExhaustion(t *testing.T) {
	g := newGroup(t, unicast())
	for i := range 256 {
		register(t, g, epoch, byte(i%100+1), 0)
	}
	before := g.Status(epoch)
	if before.NextSID != 256 {
		t.Fatalf("next SID is %d", before.NextSID)
	}
	o := offer(t, g, epoch)
	if again := offer(t, g, epoch); again.Download.SAs[0].SPI != o.Download.SAs[0].SPI {
		t.Error("two candidates are offered different keys")
	}
	if now := g.Status(epoch); !reflect.DeepEqual(now, before) {
		t.Error("the offer put something in force")
	}

	a, err := g.Admit(epoch, memberID(200), memberAddrPort(200), o, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := a.Download
	if d.SIDs.Values[0] != 0 || d.Sequence != 0 || d.SAs[0].SPI != o.Download.SAs[0].SPI || d.Rekey.SPI != o.Download.Rekey.SPI {
		t.Errorf("download %+v", d)
	}
	checkDeleteAll(t, a.Plans, before)
	after := g.Status(epoch)
	if after.Rekey == before.Rekey || after.SAs[0].SPI == before.SAs[0].SPI || after.NextSID != 1 || after.Sequence != 0 {
		t.Errorf("status %+v", after)
	}
	if p := rekey(t, g, epoch, control.RekeyArgs{}); !slices.Equal(p.To, []netip.AddrPort{memberAddrPort(200)}) {
		t.Errorf("those who have not registered again are sent what they cannot read: %v", p.To)
	}
}

// checkDeleteAll wants one plan that deletes everything, under the Rekey SA of before, for all members of before.
func checkDeleteAll(t *testing.T, plans []group.Plan, before control.KSGroup) {
	t.Helper()
	if len(plans) != 1 {
		t.Fatalf("%d plans", len(plans))
	}
	p := plans[0]
	if !p.Rekey.DeleteKEK || !slices.Equal(p.Rekey.DeleteTEKs, []uint32{0}) || p.Rekey.NewRekey != nil || len(p.Rekey.SAs) != 0 {
		t.Errorf("rekey %+v", p.Rekey)
	}
	if p.Under.SPI.String() != before.Rekey || p.Rekey.Sequence != before.Sequence+1 || len(p.To) != len(before.Members) {
		t.Errorf("under %v as %d for %d members", p.Under.SPI, p.Rekey.Sequence, len(p.To))
	}
}

// TestSIDsShort: some SIDs are left, but fewer than asked for. The group is made anew, and the candidate begins again.
func TestSIDsShort(t *testing.T) {
	g := newGroup(t, unicast())
	register(t, g, epoch, 1, 250)
	o := offer(t, g, epoch)
	before := g.Status(epoch)
	a, err := g.Admit(epoch, memberID(2), memberAddrPort(2), o, 7)
	if !errors.Is(err, group.ErrSIDsExhausted) {
		t.Fatalf("got %v", err)
	}
	checkDeleteAll(t, a.Plans, before)
	if s := g.Status(epoch); s.NextSID != 0 || s.SAs[0].SPI == before.SAs[0].SPI {
		t.Errorf("status %+v", s)
	}
	if got := register(t, g, epoch, 2, 7).Download.SIDs.Values; !slices.Equal(got, []uint32{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("SIDs %v", got)
	}
}

func TestSIDSpace(t *testing.T) {
	tests := []struct {
		bits, asked int
		altered     []string
		ok          bool
	}{
		{8, 256, nil, true}, {8, 257, nil, false}, {12, 4096, nil, true}, {12, 4097, nil, false}, {16, 65535, nil, true},
		{-8, 4, nil, true}, {-8, 5, nil, false},
		{8, 256, []string{"group.sid.space", "down"}, false}, {8, 255, []string{"group.sid.space", "down"}, true},
	}
	for _, test := range tests {
		g := newGroup(t, unicast(func(c *policy.Group) {
			if c.SIDBits = test.bits; test.bits < 0 {
				c.SIDBits, c.SIDRange = -test.bits, policy.SIDRange{First: 100, Last: 103}
			}
		}), test.altered...)
		_, err := g.Admit(epoch, memberID(1), memberAddrPort(1), offer(t, g, epoch), test.asked)
		if (err == nil) != test.ok || (err != nil && !violated(err, "group.sid.space")) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestExhaustionMutants(t *testing.T) {
	full := func(altered string) (*group.Group, control.KSGroup) {
		g := newGroup(t, unicast(), altered, "broken")
		register(t, g, epoch, 1, 256)
		return g, g.Status(epoch)
	}
	g, before := full("group.sid.exhausted")
	a := register(t, g, epoch, 2, 0)
	if a.Download.SAs[0].SPI == 0 || policy.FormatSPI(a.Download.SAs[0].SPI) != before.SAs[0].SPI || a.Download.SIDs.Values[0] != 0 {
		t.Errorf("exhausted: broken, and yet %+v", a.Download)
	}
	g, _ = full("group.sid.exhausted-delete")
	if a := register(t, g, epoch, 2, 0); len(a.Plans) != 0 {
		t.Error("exhausted-delete: broken, and yet told")
	}
}

// A key server with a share of the SIDs keeps within it, and makes the group anew when it is used up.
func TestSIDShare(t *testing.T) {
	shared := unicast(func(c *policy.Group) { c.SIDRange = policy.SIDRange{First: 100, Last: 103} })
	for _, test := range []struct {
		altered []string
		want    []uint32
	}{
		{nil, []uint32{100, 101, 102, 103, 100, 101}},
		{[]string{"group.sid.range", "up"}, []uint32{100, 101, 102, 103, 104, 100}},
		{[]string{"group.sid.range", "down"}, []uint32{100, 101, 102, 100, 101, 102}},
		{[]string{"group.sid.range", "off"}, []uint32{100, 101, 102, 103, 104, 105}},
		{[]string{"group.sid.range-first", "broken"}, []uint32{0, 1, 2, 3, 4, 5}},
	} {
		g := newGroup(t, shared, test.altered...)
		var got []uint32
		for range test.want {
			got = append(got, register(t, g, epoch, 1, 0).Download.SIDs.Values...)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.altered, got, test.want)
		}
	}
	for _, r := range []policy.SIDRange{{First: 1}, {First: 9, Last: 8}, {Last: 256}} {
		if err := group.Validate(unicast(func(c *policy.Group) { c.SIDRange = r })); err == nil {
			t.Errorf("%+v is no fault", r)
		}
	}
}
