package group_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// vendors is a group of profile getvpn with two members.
func vendors(t testing.TB, cfg policy.Group, altered ...string) *group.Group {
	t.Helper()
	rules := new(rule.Switches)
	for i := 0; i+1 < len(altered); i += 2 {
		if err := rules.Set(altered[i], altered[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	o := options(t.Name(), rules)
	o.Profile = policy.ProfileGETVPN
	g, err := group.New(cfg, o, epoch)
	if err != nil {
		t.Fatal(err)
	}
	register(t, g, epoch, 1, 0)
	register(t, g, epoch, 2, 0)
	return g
}

// silence has so many rekeys a minute apart, of which member 2 acknowledges those that are listed and member 1 all, and returns the members
// that are left and after which rekey member 2 was given up.
func silence(t testing.TB, g *group.Group, rekeys int, heard ...int) (left []string, ejected int) {
	t.Helper()
	for i := 1; i <= rekeys; i++ {
		now := at(time.Duration(i) * time.Minute)
		plans, err := g.Rekey(now, control.RekeyArgs{})
		if err != nil {
			t.Fatal(err)
		}
		p := plans[len(plans)-1]
		for n := byte(1); n <= 2; n++ {
			if n == 1 || slices.Contains(heard, i) {
				_ = ack(g, now.Add(time.Second), n, p)
			}
		}
		plans, _ = run(t, g, now.Add(59*time.Second))
		for _, p := range plans {
			for _, m := range p.Missing {
				if m.Gone && m.Identity == memberID(2) {
					ejected = i
				}
			}
		}
	}
	for _, m := range g.Status(at(time.Hour)).Members {
		left = append(left, m.Identity)
	}
	return left, ejected
}

// TestEject: whoever leaves three unicast rekeys in a row unacknowledged is given up with the third, also one that was never heard.
func TestEject(t *testing.T) {
	for _, c := range []struct {
		name    string
		group   policy.Group
		heard   []int
		altered []string
		ejected int // 0: never
	}{
		{"never heard", unicast(acknowledged), nil, nil, 3},
		{"repeated", unicast(acknowledged, retransmitted(2)), nil, nil, 3},
		{"heard first", unicast(acknowledged), []int{1}, nil, 4},
		{"heard in between", unicast(acknowledged), []int{3}, nil, 0},
		{"by multicast", unicast(acknowledged, multicast), nil, nil, 0},
		{"none asked for", unicast(), nil, nil, 0},
		{"bound off", unicast(acknowledged), nil, []string{"group.getvpn.eject", "off"}, 0},
		{"bound up", unicast(acknowledged), nil, []string{"group.getvpn.eject", "up"}, 4},
		{"bound down", unicast(acknowledged), nil, []string{"group.getvpn.eject", "down"}, 2},
		{"silent broken", unicast(acknowledged), nil, []string{"group.getvpn.eject-silent", "broken"}, 0},
		{"count broken", unicast(acknowledged), []int{3}, []string{"group.getvpn.eject-count", "broken"}, 4},
		{"unicast broken", unicast(acknowledged, multicast), nil, []string{"group.getvpn.eject-unicast", "broken"}, 3},
	} {
		left, ejected := silence(t, vendors(t, c.group, c.altered...), 5, c.heard...)
		want := []string{"192.0.2.1", "192.0.2.2"}
		if c.ejected > 0 {
			want = want[:1]
		}
		if c.name == "count broken" { // then 4 is the third that it missed
			want = want[:1]
		}
		if ejected != c.ejected || !slices.Equal(left, want) {
			t.Errorf("%s: given up after %d, left %v; want %d, %v", c.name, ejected, left, c.ejected, want)
		}
	}
}

// A rekey that comes before the one before has been given up ends that: it was missed, if there was time for an acknowledgement.
func TestEjectOvertaken(t *testing.T) {
	for gap, gone := range map[time.Duration]bool{5 * time.Second: false, 15 * time.Second: true} {
		g := vendors(t, unicast(acknowledged, retransmitted(5)))
		for i := range 5 {
			plans, err := g.Rekey(at(time.Duration(i)*gap), control.RekeyArgs{})
			if err != nil {
				t.Fatal(err)
			}
			if err := ack(g, at(time.Duration(i)*gap), 1, plans[len(plans)-1]); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(g.Status(epoch).Members); gone != (n == 1) {
			t.Errorf("each %v: %d members are left", gap, n)
		}
	}
}
