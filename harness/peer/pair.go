package peer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Pair is two devices as one: the first plays the key server, the second every member. What a spec asks of both has to be had by
// both, and what it does not ask for is what both have: a suite of Phase 1 and a signature that one of them names as its usual one.
// A device beside itself is that device. The error is an *Unsupported if one does not play its role.
func Pair(ks, gm *Manifest) (*Manifest, error) {
	for _, one := range []struct {
		*Manifest
		as rule.Role
	}{{ks, rule.KS}, {gm, rule.GM}} {
		if why := one.Lacks(one.as); why != "" {
			return nil, &Unsupported{Declaration: why}
		}
	}
	if ks.Digest == gm.Digest && ks.Name == gm.Name {
		return ks, nil
	}
	both := sha256.Sum256([]byte(ks.Digest + gm.Digest))
	m := &Manifest{
		File: ks.File + ", " + gm.File, Digest: hex.EncodeToString(both[:]), Name: ks.Name + " with " + gm.Name,
		Usual: common(ks, gm), parts: map[rule.Role]*Manifest{rule.KS: ks, rule.GM: gm},
	}
	m.KS, m.GM = ks.KS.using(m.Usual), gm.GM.using(m.Usual)
	m.Expected = append(ks.expectedWith(gm, rule.KS), gm.expectedWith(ks, rule.GM)...)
	return m, nil
}

// using is the role beside another device, with what is usual among the two.
func (r *Role) using(u Usual) *Role {
	same := *r
	same.Usual = u
	return &same
}

// Part is the manifest of the device that plays a role: the manifest itself unless it is a pair.
func (m *Manifest) Part(r rule.Role) *Manifest {
	if part, ok := m.parts[r]; ok {
		return part
	}
	return m
}

// Parts are the manifests of a pair, the key server's first; none if it is one device.
func (m *Manifest) Parts() []*Manifest {
	if m.parts == nil {
		return nil
	}
	return []*Manifest{m.parts[rule.KS], m.parts[rule.GM]}
}

// common is what is usual for one of the two and possible for the other. Where there is no such thing it is the key server's, and the
// other's declaration ends each spec.
func common(ks, gm *Manifest) Usual {
	u := ks.Usual
	for _, one := range []struct{ of, other *Manifest }{{ks, gm}, {gm, ks}} {
		var asked demands
		asked.proposal(one.of.Usual.Phase1)
		if one.other.hasAll(asked) {
			u.Phase1 = one.of.Usual.Phase1
			break
		}
	}
	if !gm.hasAll(demands{signatures[u.Signature]}) && ks.hasAll(demands{signatures[gm.Usual.Signature]}) {
		u.Signature = gm.Usual.Signature
	}
	u.Phase1.Authentication = policy.AuthPSK
	return u
}

func (m *Manifest) hasAll(features demands) bool {
	return !slices.ContainsFunc(features, func(f string) bool { return m.LacksFeature(f) != "" })
}

// expectedWith are the failures that the device is known for in that role beside the other one.
func (m *Manifest) expectedWith(other *Manifest, as rule.Role) []Expected {
	return slices.DeleteFunc(slices.Clone(m.Expected), func(e Expected) bool {
		return e.With != "" && e.With != other.Name || e.As != 0 && e.As != as
	})
}

// Known are the failures that the device is known for where it is tested: beside itself or a tester those that name no other.
func (m *Manifest) Known() []Expected {
	if m.parts != nil {
		return m.Expected
	}
	return slices.DeleteFunc(slices.Clone(m.Expected), func(e Expected) bool { return e.With != "" && e.With != m.Name })
}

// lacksInPair is the declaration by which one of a pair lacks a feature.
func (m *Manifest) lacksInPair(name string) string {
	for _, part := range m.Parts() {
		if why := part.LacksFeature(name); why != "" {
			return why
		}
	}
	return ""
}

// Absent is the error of a device that is not on this machine. It says what was looked for.
type Absent struct {
	At  string // in the manifest
	Why error
}

func (a *Absent) Error() string { return fmt.Sprintf("%s: %v", a.At, a.Why) }

// Unwrap returns the reason.
func (a *Absent) Unwrap() error { return a.Why }
