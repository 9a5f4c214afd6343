package policy

import (
	"path/filepath"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// ofDevice are the fields of a member that stand in a device once, whatever VRFs it has.
var ofDevice = []string{"console", "log", "snmp", "track", "vrfs"}

// tablesOf checks that each further member of a device is in a VRF of its own, and says only what is not the device's.
func tablesOf(m Member, tables []place[Member]) (all []Member) {
	seen := make(map[string]string)
	if m.VRF != "" {
		seen[m.VRF] = "vrf"
	}
	for _, t := range tables {
		once(t.at, seen, t.value.VRF)
		if !t.at.Has("vrf") {
			t.at.Problem("the field \"vrf\" is missing")
		}
		if t.value.Profile != m.Profile {
			t.at.Problem("the profile of a VRF is that of the device, %s", m.Profile)
		}
		for _, name := range ofDevice {
			if t.at.Has(name) {
				t.at.Problem("the field %q is the device's, not that of a VRF", name)
			}
		}
		all = append(all, t.value)
	}
	return all
}

// path reads where a file is.
func path(v yamldoc.Value) string {
	s, ok := v.Text()
	if ok && !filepath.IsAbs(s) {
		v.Problem("%s is no absolute path", brief(s))
	}
	return s
}
