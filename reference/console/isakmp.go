package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// isakmpWords are "isakmp sa" and what may follow. A Rekey SA is one of ISAKMP too.
func isakmpWords() *word {
	return keyword("isakmp", "ISAKMP", command("sa", "Security associations", showPhase1, command("detail", "Everything", showPhase1Detail)))
}

// rekeySA is a Rekey SA as it stands in the table of IKE SAs.
type rekeySA struct {
	*control.KEK
	local, remote string
	left          int // seconds
}

// rekeySAs are those of all groups.
func (in *call) rekeySAs() (all []rekeySA, err error) {
	if in.console.opts.KeyServer != nil {
		groups, err := in.ksGroups()
		for _, g := range groups {
			if g.KEK != nil {
				all = append(all, rekeySA{g.KEK, g.server, g.toward(), left(g.now, g.RekeyExpiry)})
			}
		}
		return all, err
	}
	groups, err := in.gmGroups()
	for _, g := range groups {
		if g.KEK != nil {
			all = append(all, rekeySA{g.KEK, g.own(), host(g.KeyServer), left(g.now, g.RekeyExpiry)})
		}
	}
	return all, err
}

// toward is where the rekeys of a group go: to a group, or to each member.
func (g ksGroup) toward() string {
	if g.cfg.Rekey.Transport == policy.TransportMulticast {
		return g.cfg.Rekey.Address.Addr().String()
	}
	return "0.0.0.0"
}

// showPhase1 is "show crypto isakmp sa".
func showPhase1(in *call) error {
	rekeys, err := in.rekeySAs()
	if err != nil {
		return err
	}
	p := &in.page
	p.head(0, "", "IPv4 Crypto ISAKMP SA")
	if in.console.opts.KeyServer != nil {
		s, err := in.keyServer()
		if err != nil {
			return err
		}
		p.field(1, "  ", "established (GDOI_IDLE)", s.Phase1)
		p.field(1, "  ", "half open", s.HalfOpen)
	}
	p.field(1, "  ", "rekey (GDOI_REKEY)", len(rekeys))
	return nil
}

// showPhase1Detail is "show crypto isakmp sa detail": the Rekey SAs with what they are protected and authenticated by.
func showPhase1Detail(in *call) error {
	if err := showPhase1(in); err != nil {
		return err
	}
	rekeys, err := in.rekeySAs()
	const row = "%-6s%-16s%-16s%-8s%-8s%-8s%-12s%s"
	p := &in.page
	p.gap()
	p.put(1, fmt.Sprintf(row, "C-id", "Local", "Remote", "Status", "Encr", "Hash", "Auth", "Lifetime"))
	for i, r := range rekeys {
		auth := authentication(r.SigAlgorithm)
		if !in.console.kept(guardRekeyAuth) {
			auth = "psk"
		}
		id, life := strconv.Itoa(1001+i), (time.Duration(r.left) * time.Second).String()
		p.record(1, fmt.Sprintf(row, id, r.local, r.remote, "ACTIVE", strings.ToLower(kekCipher(r.KEK)), r.SigHash, auth, life), "C-id", id, "Local", r.local,
			"Remote", r.remote, "Status", "ACTIVE", "Encr", strings.ToLower(kekCipher(r.KEK)), "Hash", r.SigHash, "Auth", auth, "Lifetime", life)
	}
	return err
}

// authentication is how the table names what signs rekeys.
func authentication(algorithm string) string {
	if algorithm == "rsa" {
		return "rsig"
	}
	return algorithm
}
