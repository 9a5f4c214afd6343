package member_test

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// A member on demand begins with the first packet that its group may protect, and with no other. Later packets are no reason to
// register again.
func TestRegistersOnDemand(t *testing.T) {
	for _, c := range []struct {
		name     string
		expected []policy.Flow
		want     int
	}{
		{"whatever it expects", nil, 1},
		{"what it expects", policy.Flows(gcm(0).Selector), 1},
		{"what it does not expect", policy.Flows(policy.Selector{Source: prefix("172.16.0.0/12"), Destination: prefix("172.16.0.0/12")}), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			cfg.OnDemand, cfg.Authorised = true, c.expected
			l := newLabWith(t, cfg, nil).start()
			l.want("state", l.status().State, "idle")
			for range 3 {
				l.event(&core.Packet{From: core.Inside, Data: clearPacket()})
			}
			if got := strings.Count(l.tags(), "REGISTRATION_START"); got != c.want {
				t.Errorf("%d registrations\n%s", got, l.story())
			}
		})
	}
}
