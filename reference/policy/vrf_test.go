package policy_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// device has members in two VRFs beside the one that it is itself.
func device() policy.Member {
	m := fullMember()
	for _, name := range []string{"blue", "green"} {
		one := fullMember()
		one.VRF, one.Namespace = name, "/run/netns/"+name
		one.SNMP, one.Console, one.Log = nil, policy.Console{}, policy.LogReceiver{}
		m.VRFs = append(m.VRFs, one)
	}
	return m
}

func TestDeviceRoundTrip(t *testing.T) {
	want := device()
	if got := memberRoundTrip(t, want); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nbecame\n%+v", want, got)
	}
	if tables := want.Tables(); len(tables) != 3 || tables[0].VRF != "red" || tables[2].VRF != "green" {
		t.Errorf("%+v", tables)
	}
}

func TestFaultsOfVRFs(t *testing.T) {
	text, err := policy.MarshalMember(device())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"vrf: green", "vrf: red", "vrfs[1]: red is already given at vrf"},
		{"vrf: green", "vrf: blue", "vrfs[1]: blue is already given at vrfs[0]"},
		{"  vrf: green\n", "", `vrfs[1]: the field "vrf" is missing`},
		{"  vrf: green\n", "  vrf: green\n  console: {enable: x}\n", `vrfs[1]: the field "console" is the device's, not that of a VRF`},
		{"profile: getvpn", "profile: rfc6407", "vrfs[1]: the profile of a VRF is that of the device, getvpn"},
		{"namespace: /run/netns/green", "namespace: green", `vrfs[1].namespace: "green" is no absolute path`},
	} {
		last := strings.LastIndex(string(text), c.old)
		if last < 0 {
			t.Fatalf("there is no %q in\n%s", c.old, text)
		}
		_, err := policy.ParseMember("gm.yaml", []byte(string(text[:last])+c.new+string(text[last+len(c.old):])))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}
