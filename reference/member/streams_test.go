package member_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

var (
	byHand  = policy.Stream{Group: netip.MustParseAddr("239.1.1.1"), Interface: "eth1"}
	byOther = policy.Stream{Group: netip.MustParseAddr("239.1.1.1"), Interface: "eth1", Source: netip.MustParseAddr("192.0.2.1")}
)

// joining has the member join streams by hand.
func joining(streams ...policy.Stream) func(*policy.Member) {
	return func(m *policy.Member) { m.Joins = streams }
}

// Streams that are joined by hand follow the configuration, and the group's own has nothing to do with them.
func TestStreamsByHand(t *testing.T) {
	cfg := config()
	joining(byHand)(&cfg)
	l := newLabWith(t, cfg, nil).start()
	l.want("streams", strings.Join(l.joins, ", "), "join 239.1.1.1 on eth1, join 239.1.1.1")
	for _, c := range []struct {
		has  []policy.Stream
		want string
	}{
		{[]policy.Stream{byHand, byOther}, "join 239.1.1.1 on eth1 from 192.0.2.1"},
		{[]policy.Stream{byHand, byOther}, ""},
		{[]policy.Stream{byOther}, "leave 239.1.1.1 on eth1"},
		{nil, "leave 239.1.1.1 on eth1 from 192.0.2.1"},
	} {
		cfg := config()
		cfg.Joins = c.has
		l.forget()
		if r := l.configure(cfg); r.Err != "" {
			t.Fatal(r.Err)
		}
		l.want("streams", strings.Join(l.joins, ", "), c.want)
	}
}
