package lab

import (
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// A user of SNMPv3 reads what a community reads, if it has both passwords.
func TestSNMPByUser(t *testing.T) {
	needKernel(t)
	text, err := fixtures.FS.ReadFile("peers/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	byUser := strings.ReplaceAll(string(text), `community: "{{ with .SNMP }}{{ .Community }}{{ end }}"`,
		`user: {name: lab, hash: sha256, password: {environment: R_PASSWORD}, privacy: {environment: R_PRIVACY}}`)
	m, err := peer.Parse("m.yaml", []byte(byUser))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("R_PASSWORD", "authenticate-me")
	for privacy, right := range map[string]bool{"encrypt-me-too": true, "something-else": false} {
		t.Setenv("R_PRIVACY", privacy)
		ctx := t.Context()
		l, err := New(ctx, Env{Fabric: Namespaces{}, Seed: "1", Device: m}, Setup{Device: rule.GM, Profile: policy.ProfileGETVPN, SNMP: true, Member: func(_ int, c *policy.Member) {
			c.SNMP.Users = []policy.SNMPUser{{Name: "lab", Hash: policy.SNMPSHA256, Password: "authenticate-me", Privacy: "encrypt-me-too"}}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Up(ctx); err != nil {
			t.Fatal(err)
		}
		all, err := l.GM[0].SNMP(ctx)
		if got := all.Of("cgmGdoiGmActiveTEKNum"); right && (err != nil || len(got) != 1 || got[0].Number != 1) || !right && err == nil {
			t.Errorf("%s: %+v, %v", privacy, got, err)
		}
		if right {
			if answer, err := l.GM[0].SNMPSets(ctx, all[0].OID, 7); err != nil || answer != gosnmp.NotWritable {
				t.Errorf("%s, %v", answer, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
