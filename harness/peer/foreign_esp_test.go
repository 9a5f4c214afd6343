package peer_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/peer"
)

func TestESPHosts(t *testing.T) {
	place := peer.ESPPlace{Program: "/bin/gdoilab", Dir: t.TempDir(), Interface: "wan0", Link: "02:00:00:00:00:01"}
	for _, tt := range []struct {
		name, word string
		files      []string
	}{
		{"linux", "vec0:transport=raw,ifname=wan0,depth=64,gro=0,mac=02:00:00:00:00:01", nil},
		{"scapy", filepath.Join(place.Dir, "scapyhost.py"), []string{filepath.Join(place.Dir, "scapyhost.py")}},
	} {
		f, err := peer.LoadESP(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		l, err := f.LaunchESP(place)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, file := range l.Files {
			files = append(files, file.Path)
		}
		if !slices.Contains(l.Command, tt.word) || !slices.Equal(files, tt.files) {
			t.Errorf("%s: %q with %q", tt.name, l.Command, files)
		}
	}
	if _, err := peer.LoadESP("nobody"); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("a host that is not described: %v", err)
	}
}

func TestESPHostFaults(t *testing.T) {
	const whole = "name: a\nversion: b\nprogram: /c\ntree: d\nprocess:\n  command: [/c, \"{{ .Link }}\"]\n  ready: {line: up}\n"
	f, err := peer.ParseESP("whole.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if why := f.Absent(); !strings.Contains(why, "a is not installed (/c)") {
		t.Errorf("a program that is nowhere: %q", why)
	}
	for _, tt := range []struct{ text, want string }{
		{strings.Replace(whole, "program: /c\n", "", 1), `the field "program" is missing`},
		{whole + "scripts: [none.py]\n", `whole.yaml:8:11: scripts[0]: "none.py" is no file beside the description`},
		{whole + "scripts: [../ike/strongswan.yaml]\n", "is no file beside the description"},
		{whole + "commands: {}\n", "unknown field"},
	} {
		if _, err := peer.ParseESP("whole.yaml", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	broken, err := peer.ParseESP("whole.yaml", []byte(strings.Replace(whole, ".Link", ".Linq", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.LaunchESP(peer.ESPPlace{}); err == nil || !strings.Contains(err.Error(), "whole.yaml:6:17") {
		t.Errorf("a template that fails: %v", err)
	}
}
