package member_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Before it has registered, a member that fails close admits the sessions that its list denies; afterwards all.
func TestSession(t *testing.T) {
	cfg := config()
	cfg.Profile = policy.ProfileGETVPN
	cfg.FailClose = policy.FailClose{Activate: true, AccessList: []policy.FailCloseEntry{{Action: policy.ACLDeny,
		Selector: policy.Selector{Source: prefix("0.0.0.0/0"), Destination: prefix("198.51.100.0/24"), Protocol: 6, SourcePort: 22}}}}
	l := newLabWith(t, cfg, nil)
	passes := func(local, remote string) bool {
		t.Helper()
		r := l.command(control.Session, fmt.Sprintf(`{"local":%q,"remote":%q}`, local, remote))
		var answer control.SessionResult
		if err := json.Unmarshal(r.Body, &answer); err != nil {
			t.Fatal(err, r.Err)
		}
		return answer.Passes
	}
	const own = "192.0.2.21"
	for _, c := range []struct {
		local, remote string
		want          bool
	}{
		{own + ":22", "198.51.100.7:40000", true}, {own + ":23", "198.51.100.7:40000", false}, {own + ":22", "203.0.113.7:40000", false},
	} {
		if got := passes(c.local, c.remote); got != c.want {
			t.Errorf("%s with %s: %t", c.local, c.remote, got)
		}
	}
	l.start()
	if !passes(own+":23", "203.0.113.7:40000") {
		t.Error("a session does not pass once the member has registered")
	}
	if r := l.command(control.Session, "[]"); r.Err == "" {
		t.Error("no arguments are taken for some")
	}
}
