package iosconfig_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
)

const fixtures = "../../fixtures/"

// open finds keys where the fixtures have them.
func open(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(fixtures, "keys", filepath.Base(name)))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(fixtures + "examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTwins: both ways to write a configuration make the same policy.
func TestTwins(t *testing.T) {
	ks, warnings, err := iosconfig.ParseKeyServer("getvpn-ks.ios", read(t, "getvpn-ks.ios"), iosconfig.Options{Open: open})
	twin, err2 := policy.LoadKeyServer(fixtures + "examples/getvpn-ks.yaml")
	if err := errors.Join(err, err2); err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	if diff := difference(t, ks, twin, func(k policy.KeyServer) ([]byte, error) { return policy.MarshalKeyServer(k, "x.pem") }); diff != "" {
		t.Error(diff)
	}
	gm, warnings, err := iosconfig.ParseMember("getvpn-gm1.ios", read(t, "getvpn-gm1.ios"), iosconfig.Options{Open: open})
	twinGM, err2 := policy.LoadMember(fixtures + "examples/getvpn-gm1.yaml")
	if err := errors.Join(err, err2); err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	if diff := difference(t, gm, twinGM, policy.MarshalMember); diff != "" {
		t.Error(diff)
	}
}

// difference compares two policies as they are written.
func difference[T any](t *testing.T, a, b T, write func(T) ([]byte, error)) string {
	t.Helper()
	x, err1 := write(a)
	y, err2 := write(b)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return cmp.Diff(strings.Split(string(y), "\n"), strings.Split(string(x), "\n"))
}
