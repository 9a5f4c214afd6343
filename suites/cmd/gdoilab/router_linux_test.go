package main

import (
	"os"
	"testing"

	"github.com/gdoilab/gdoilab/harness/router/routertest"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// The routers that the built-in manifest of a router is run against, where specs have the device.
var (
	routedMember = routertest.Role{Word: "gm", WAN: "192.0.2.21/24", LAN: "10.0.1.1/24",
		Gateway: []string{"10.0.2.0/24", "192.0.2.22", "10.0.3.0/24", "192.0.2.23", "10.0.4.0/24", "192.0.2.24"}}
	routedServer = routertest.Role{Word: "ks", WAN: "192.0.2.10/24"}
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
			routedMember, 6},
		{"key server", "dut:KS && (subject:console && (req:GETVPN-SHOW-01 || req:GETVPN-SHOW-02) || subject:registration && req:RFC6407-3.2.1-03 && !negative)",
			routedServer, 4},
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

// Whatever specs somebody asks for judge the router; all that it can be asked take hours. The report stays in the folder that is named.
func TestRouterAsked(t *testing.T) {
	filter, out := os.Getenv("GDOILAB_ROUTER_FILTER"), os.Getenv("GDOILAB_ROUTER_OUT")
	if filter == "" || out == "" {
		t.Skip("GDOILAB_ROUTER_FILTER does not say which specs, or GDOILAB_ROUTER_OUT not where the report is to be")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]routertest.Role{"member": routedMember, "key server": routedServer} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(asCommand, "1")
			routertest.Start(t, program, role)
			cmd := command(t.Context(), "", "run", "--dut", "ios-xe", "--fabric", "netns", "--out", out, "--filter", filter)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
		})
	}
}
