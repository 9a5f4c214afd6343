package peer

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var recorded = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// answers are what a recorded router says to commands.
func answers(t *testing.T, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../fixtures/routers", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, part := range strings.Split("\n"+string(data), "\n### ")[1:] {
		command, text, _ := strings.Cut(part, "\n")
		all[command] = text
	}
	return all
}

// found is what the rules of a manifest find in recorded answers. Every one of its commands has to have been recorded.
func found(t *testing.T, manifest string, role rule.Role, name string) []router.Found {
	t.Helper()
	m, err := Load(manifest)
	if err != nil {
		t.Fatal(err)
	}
	said := answers(t, name)
	var views []router.View
	var texts []string
	for _, v := range m.Role(role).Router().Views {
		command, err := v.Command.render(nil)
		text, ok := said[command]
		if err != nil || !ok {
			t.Errorf("%q was not recorded: %v", command, err)
		}
		views, texts = append(views, router.View{Command: command, Rules: v.Rules}), append(texts, text)
	}
	return router.Read(views, texts)
}

func left(at time.Time) int { return int(at.Sub(recorded) / time.Second) }

func TestRecordedMember(t *testing.T) {
	for manifest, file := range map[string]string{"ios-xe": "ios-xe-gm", "junos-group-vpn": "junos-gm"} {
		s, err := router.MemberStatus(recorded, "gm", found(t, manifest, rule.GM, file))
		if err != nil || s.Group != 4711 || s.State != "registered" || s.KeyServer != "198.51.100.10:848" || len(s.Groups) != 0 || len(s.SAs) != 2 {
			t.Fatalf("%s: %+v, %v", manifest, s, err)
		}
		if s.SAs[1].SPI != "002a51c3" || left(s.SAs[1].Expiry) != 53 || !slices.Contains([]int{1094, 2644}, left(s.RekeyExpiry)) || s.SAs[0].Cipher == "" {
			t.Errorf("%s: %+v", manifest, s)
		}
		if manifest == "ios-xe" && (s.Sequence != 7 || s.Registrations != 2 || s.GMCounts.Rekeys != 3 || s.Pseudotime == nil || s.Pseudotime.Value != "3611735.21" || s.SAs[0].SPI != "b8841f0f") {
			t.Errorf("%+v", s)
		}
		if manifest == "junos-group-vpn" && s.Rekey != "7e0a3ed4c8d6ec733d9bd8f1a0f7bbb6" {
			t.Errorf("%+v", s)
		}
	}
}

func TestRecordedKeyServer(t *testing.T) {
	s, err := router.KeyServerStatus(recorded, "ks", found(t, "ios-xe", rule.KS, "ios-xe-ks"))
	if err != nil || len(s.Groups) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	g := s.Groups[0]
	if g.Name != "branches" || g.ID != 4711 || g.Sequence != 7 || g.Rekey != "a8110de7cc8b0fb201f2a8bfaa0f2d90" || left(g.RekeyExpiry) != 787 || len(g.SAs) != 2 || len(g.Members) != 2 {
		t.Fatalf("%+v", g)
	}
	if g.SAs[0].SPI != "b8841f0f" || left(g.SAs[0].Expiry) != 188 || left(g.SAs[1].Expiry) != 12 {
		t.Errorf("%+v", g.SAs)
	}
	if m := g.Members[1]; m.Address != "198.51.100.22:848" || m.Rekeys != 3 || m.Acks != 2 || g.RekeyCounts.Rekeys != 7 {
		t.Errorf("%+v", m)
	}
}

// What a router says to a line that it does not take is known by its manifest, and what it says to others is not taken for that.
func TestRecordedRefusals(t *testing.T) {
	m, err := Load("ios-xe")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range m.Roles() {
		refuses := func(text string) bool {
			return slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
				return slices.ContainsFunc(role.Router().Refused, func(p *regexp.Regexp) bool { return p.MatchString(line) })
			})
		}
		for line, text := range answers(t, "ios-xe-errors") {
			if !refuses(text) {
				t.Errorf("%q: %q is no refusal", line, text)
			}
		}
		for _, name := range []string{"ios-xe-gm", "ios-xe-ks"} {
			for line, text := range answers(t, name) {
				if refuses(text) {
					t.Errorf("%q is refused", line)
				}
			}
		}
		if refuses("% The key modulus size is 2048 bits\n% Generating 2048 bit RSA keys, keys will be non-exportable...") {
			t.Error("a key that is made is refused")
		}
	}
}

// TestRouterPrompts: the prompts of each manifest are known, and what stands at the end of other lines is none.
func TestRouterPrompts(t *testing.T) {
	for manifest, prompts := range map[string][]string{
		"ios-xe": {"gm1>", "gm1#", "edge-1.lab#", "gm1(config)#", "gm1(config-if)#", "gm1(gdoi-local-server)# "}, "junos-group-vpn": {"admin@srx> ", "admin@srx# ", "root@srx-1%"},
	} {
		m, err := Load(manifest)
		if err != nil {
			t.Fatal(err)
		}
		p := m.GM.Router().Prompt
		for _, line := range prompts {
			if !p.MatchString(line) {
				t.Errorf("%s: %q is no prompt", manifest, line)
			}
		}
		for _, line := range []string{"", "gm1", "a line #", "  spi: 0x1#", "access-list permit ip any any >", "Are you sure you want to proceed ? [yes/no]: "} {
			if p.MatchString(line) {
				t.Errorf("%s: %q is a prompt", manifest, line)
			}
		}
	}
}
