package policy_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// inPhase1 puts lines into phase1 of a member's configuration.
func inPhase1(lines string) []byte {
	return []byte(strings.Replace(memberYAML, "phase1:\n", "phase1:\n"+lines, 1))
}

func TestPhase1Modes(t *testing.T) {
	m, err := policy.ParseMember("gm.yaml", inPhase1("  mode: aggressive\n  clear_proof: true\n  prefer: own\n  kilobytes: 7\n  dpd: 30s\n"))
	if p := m.Phase1; err != nil || p.Mode != policy.AggressiveMode || !p.ClearProof || p.Prefer != policy.PreferOwn || p.Kilobytes != 7 ||
		p.DPD != 30*time.Second {
		t.Errorf("%+v, %v", p, err)
	}
	m, err = policy.ParseMember("gm.yaml", inPhase1("  mode: main\n  prefer: peer\n"))
	if err != nil || m.Phase1.Mode != policy.MainMode || m.Phase1.Prefer != policy.PreferPeer {
		t.Errorf("%+v, %v", m.Phase1, err)
	}
	for _, wrong := range []string{"  mode: agressive\n", "  prefer: both\n", "  kilobytes: 0\n", "  dpd: 1ms\n", "  clear_proof: 1\n"} {
		line := 1 + strings.Count(string(inPhase1(""))[:strings.Index(memberYAML, "phase1:\n")], "\n") + 1
		_, err := policy.ParseMember("gm.yaml", inPhase1(wrong))
		name, _, _ := strings.Cut(strings.TrimSpace(wrong), ":")
		if err == nil || !strings.Contains(err.Error(), "phase1."+name) || !strings.Contains(err.Error(), "gm.yaml:"+strconv.Itoa(line)) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
