package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// party is a peer that may meet others.
type party struct {
	verdict.Party
	named    string         // as run --dut takes it
	manifest *peer.Manifest // nil: a daemon or a host
	foreign  *peer.Foreign
}

// parties loads the peers of those names; without names all that are built in. A name is a manifest as run --dut takes it, or that
// of a foreign daemon or host. Two of one name are refused: nobody could tell their cells apart.
func parties(names []string) ([]*party, error) {
	wanted := len(names) > 0
	if !wanted {
		names = slices.Concat(peer.Builtin(), peer.Foreigners(), peer.ESPHosts())
	}
	var all []*party
	for _, name := range names {
		p, err := load(name)
		if err != nil {
			return nil, err
		}
		p.Wanted = wanted
		if i := slices.IndexFunc(all, func(other *party) bool { return other.Name == p.Name }); i >= 0 {
			return nil, fmt.Errorf("%s and %s are both called %s", all[i].named, name, p.Name)
		}
		all = append(all, p)
	}
	return all, nil
}

func load(name string) (*party, error) {
	if slices.Contains(peer.Foreigners(), name) {
		f, err := peer.LoadForeign(name)
		if err != nil {
			return nil, err
		}
		return foreign(name, f), nil
	}
	if slices.Contains(peer.ESPHosts(), name) {
		f, err := peer.LoadESP(name)
		if err != nil {
			return nil, err
		}
		return host(name, f), nil
	}
	m, err := peer.Load(name)
	if err != nil {
		return nil, err
	}
	p := &party{named: name, manifest: m, Party: verdict.Party{Kind: verdict.Device,
		Peer: verdict.Peer{Name: m.Name, Vendor: m.Vendor, Version: m.Version, File: m.File, Digest: m.Digest}}}
	for _, r := range m.Roles() {
		p.Roles = append(p.Roles, r.Is.String())
	}
	return p, nil
}

// foreign is a daemon, which may begin Phase 1 as a member does, or answer as a key server.
func foreign(name string, f *peer.Foreign) *party {
	p := &party{named: name, foreign: f, Party: verdict.Party{Kind: verdict.Daemon, Roles: []string{rule.KS.String(), rule.GM.String()},
		Peer: verdict.Peer{Name: f.Name, Version: f.Version, File: f.File, Digest: f.Digest}}}
	p.Absent = f.Absent()
	return p
}

// host has ESP alone: it stands where a member and the host behind it would.
func host(name string, f *peer.Foreign) *party {
	p := foreign(name, f)
	p.Kind, p.Roles = verdict.Host, []string{rule.GM.String()}
	return p
}

// noKeyManagement is the declaration by which a host has no scene but that of the data plane.
func (p *party) noKeyManagement() string {
	return fmt.Sprintf("%s is described as a host with ESP, which is given its keys (%s)", p.Name, p.foreign.At)
}

// noGDOI is the declaration by which a daemon has no scene but those of IKE.
func (p *party) noGDOI() string {
	return fmt.Sprintf("%s is described as an IKE daemon, which knows no GDOI (%s)", p.Name, p.foreign.At)
}

// missing says why a device cannot play the role on that fabric: what was looked for in vain, or what the fabric has no use for.
func (p *party) missing(f lab.Fabric, role rule.Role) (v verdict.Verdict, why string, err error) {
	r := p.manifest.Role(role)
	if r == nil {
		return verdict.Unsupported, p.manifest.Lacks(role), nil
	}
	if why := f.CannotStart(r); why != "" {
		return verdict.Skipped, why, nil
	}
	alone := *p.manifest
	alone.KS, alone.GM = nil, nil
	if role == rule.KS {
		alone.KS = r
	} else {
		alone.GM = r
	}
	err = f.Check(&alone)
	var absent *peer.Absent
	if errors.As(err, &absent) {
		p.Absent = strings.TrimSpace(absent.Error())
		return verdict.Absent, p.Absent, nil
	}
	return "", "", err
}

// Check returns what is wrong with the peers of those names that can be known before anything runs.
func Check(names []string) error {
	_, err := parties(names)
	return err
}
