package policy_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

var compare = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
var compareAddrs = cmp.Options{
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

func TestLoadExampleKeyServer(t *testing.T) {
	k, err := policy.LoadKeyServer("../../fixtures/examples/gdoi-ks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(k.SigningKey) == 0 {
		t.Error("no signing key")
	}
	k.SigningKey = nil
	atd, dtd := 2*time.Second, 6*time.Second
	want := policy.KeyServer{
		Name:    "ks1",
		Address: netip.MustParseAddrPort("10.0.0.1:848"),
		Phase1: policy.Phase1{
			Lifetime: 24 * time.Hour,
			PSKs:     []policy.PSK{{Peer: netip.MustParsePrefix("10.0.0.0/24"), Key: []byte("correct horse battery staple")}},
		},
		Groups: []policy.Group{{
			Name:    "red",
			ID:      1234,
			Members: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32"), netip.MustParsePrefix("10.0.0.3/32")},
			Rekey: policy.RekeyPolicy{
				Transport: policy.TransportUnicast, KEKLifetime: 24 * time.Hour, Margin: 5 * time.Minute,
				Retransmit: 2, Interval: 10 * time.Second, Ack: policy.AckKEKSHA256,
			},
			SAs: []policy.SAPolicy{{
				Selector: policy.Selector{Source: netip.MustParsePrefix("10.1.0.0/16"), Destination: netip.MustParsePrefix("10.1.0.0/16")},
				Transform: policy.Transform{
					Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel, Preservation: policy.PreserveBoth,
				},
				Lifetime: time.Hour,
			}},
			Activation: policy.Activation{ATD: &atd, DTD: &dtd},
			SIDBits:    8,
		}},
	}
	if diff := cmp.Diff(want, k, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLoadExampleMembers(t *testing.T) {
	for _, name := range []string{"gdoi-gm1.yaml", "gdoi-gm2.yaml"} {
		m, err := policy.LoadMember(filepath.Join("../../fixtures/examples", name))
		if err != nil {
			t.Fatal(err)
		}
		if m.Group != 1234 || len(m.KeyServers) != 1 || m.KeyServers[0].Port() != 848 || len(m.Inside) != 1 || m.MTU != 1500 {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestLoadMissingFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no.yaml")
	if _, err := policy.LoadKeyServer(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadKeyServer: %v", err)
	}
	if _, err := policy.LoadMember(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadMember: %v", err)
	}
}

// TestSigningKeyForms loads keys relative to the configuration file and by absolute path.
func TestSigningKeyForms(t *testing.T) {
	dir := t.TempDir()
	pkcs8 := readFixture(t, "keys/ks1.pem")
	writeFile(t, filepath.Join(dir, "eight.pem"), pkcs8)
	writeFile(t, filepath.Join(dir, "one.pem"), readFixture(t, "keys/ks2.pem"))
	writeFile(t, filepath.Join(dir, "ec-eight.pem"), readFixture(t, "keys/ks-p256.pem"))
	writeFile(t, filepath.Join(dir, "parameters.pem"), readFixture(t, "keys/ks-p384.pem"))
	writeFile(t, filepath.Join(dir, "sec.pem"), readFixture(t, "keys/ks-p521.pem"))
	for _, path := range []string{"eight.pem", "one.pem", "ec-eight.pem", "parameters.pem", "sec.pem", filepath.Join(dir, "eight.pem")} {
		config := filepath.Join(dir, "ks.yaml")
		writeFile(t, config, []byte(strings.Replace(keyServerYAML, "ks1.pem", path, 1)))
		k, err := policy.LoadKeyServer(config)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if _, err := x509.ParsePKCS8PrivateKey(k.SigningKey); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := fixtures.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// keys serves signing keys of several kinds without a file system.
func keys(t testing.TB) policy.ReadFile {
	t.Helper()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"ks1.pem":   readFixture(t, "keys/ks1.pem"),
		"small.pem": privatePEM(t, small),
		"ec.pem":    readFixture(t, "keys/ks-p256.pem"),
		"p224.pem":  privatePEM(t, p224),
		"ed.pem":    privatePEM(t, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))),
		"cert.pem":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}),
		"cut.pem":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{0x30}}),
		"text.pem":  []byte("no key"),
	}
	return func(path string) ([]byte, error) {
		if data, ok := files[path]; ok {
			return data, nil
		}
		return nil, fs.ErrNotExist
	}
}

func privatePEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestProblemsAreTyped(t *testing.T) {
	_, err := policy.ParseMember("gm.yaml", []byte("name: gm\nmtu: x\n"))
	var all yamldoc.Problems
	if !errors.As(err, &all) || len(all) < 2 {
		t.Fatalf("%v", err)
	}
	var one yamldoc.Problem
	if !errors.As(err, &one) || one.File != "gm.yaml" || one.Line == 0 {
		t.Errorf("%+v", one)
	}
}
