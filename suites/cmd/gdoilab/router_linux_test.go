package main

import (
	"os"
	"testing"

	"github.com/gdoilab/gdoilab/harness/router/routertest"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// Specs judge a device that is a router: configured and asked at its console, through the manifest of a router that there is.
func TestRouter(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, filter string
		role         routertest.Role
		passes       int
	}{
		{"member", "dut:GM && (subject:console && req:GETVPN-SHOW-03 || subject:dataplane && req:RFC6407-5.5.1.1.1-01 && !negative ||" +
			" subject:rekey && req:RFC2408-5.12-01 || subject:change && req:GETVPN-POLICY-13 || subject:messages && req:GETVPN-REG-27)",
			routertest.Role{Word: "gm", WAN: "192.0.2.21/24", LAN: "10.0.1.1/24", Gateway: []string{"10.0.2.0/24", "192.0.2.22", "10.0.3.0/24", "192.0.2.23"}}, 6},
		{"key server", "dut:KS && (subject:console && (req:GETVPN-SHOW-01 || req:GETVPN-SHOW-02) || subject:registration && req:RFC6407-3.2.1-03 && !negative)",
			routertest.Role{Word: "ks", WAN: "192.0.2.10/24"}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(asCommand, "1")
			routertest.Start(t, program, c.role)
			report, s := ran(t, t.TempDir(), "ios-xe", "--fabric", "netns", "--filter", c.filter)
			if s.code != 0 || report.Summary[verdict.Pass] < c.passes {
				t.Errorf("exit %d: %v\n%s", s.code, report.Summary, s.err)
			}
			for _, spec := range report.Specs {
				if spec.Verdict != verdict.Pass {
					t.Logf("%s %s: %s", spec.Verdict, spec.ID, spec.Reason)
				}
			}
		})
	}
}
