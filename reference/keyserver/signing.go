package keyserver

import (
	"crypto"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardOwnSigningKey = rule.Duty("keyserver.push.own-key", "RFC6407-4.1-01", rule.KS,
	"PUSH messages are signed with another key than that of Phase 1")

// loadSigningKey reads the key that signs PUSH messages. Without a group that has a rekey none is needed. A key server of GET VPN that has
// lost it serves its groups all the same, without rekeys.
func (k *KeyServer) loadSigningKey(credentials *policy.Credentials) error {
	if len(k.cfg.SigningKey) == 0 && k.cfg.Profile == policy.ProfileGETVPN {
		k.withoutRekeys()
		return nil
	}
	if len(k.cfg.SigningKey) == 0 {
		for _, g := range k.cfg.Groups {
			if g.Rekey.Transport != policy.TransportNone {
				return fmt.Errorf("keyserver %s: group %s has a rekey, but there is no signing key", k.cfg.Name, g.Name)
			}
		}
		return nil
	}
	var err error
	if k.signing, err = policy.ParseSigningKey(k.cfg.SigningKey); err != nil {
		return fmt.Errorf("keyserver %s: signing key: %w", k.cfg.Name, err)
	}
	if credentials.Key != nil && !guardOwnSigningKey.Kept(k.opts.Rules) {
		k.signing = credentials.Key
	}
	k.twofold = credentials.Key != nil && same(k.signing.Public(), credentials.Key.Public())
	algorithm, _, _ := policy.SignatureOf(k.signing.Public())
	for _, g := range k.cfg.Groups {
		if err := g.Rekey.SignableBy(algorithm); err != nil {
			return fmt.Errorf("keyserver %s: group %s: %w", k.cfg.Name, g.Name, err)
		}
	}
	return nil
}

// withoutRekeys takes the rekeys out of the groups, since nobody can sign them.
func (k *KeyServer) withoutRekeys() {
	k.cfg.Groups = slices.Clone(k.cfg.Groups)
	for i, g := range k.cfg.Groups {
		if g.Rekey.Transport != policy.TransportNone {
			k.cfg.Groups[i].Rekey = policy.RekeyPolicy{Transport: policy.TransportNone}
			k.unsigned = append(k.unsigned, g.Name)
		}
	}
}

// tellUnsigned tells which groups have no rekeys for want of a key.
func (k *KeyServer) tellUnsigned() {
	for _, name := range k.unsigned {
		k.tell(nil, getvpn.KSNoRSAKeys, getvpn.Field("key_label", "signing_key"), getvpn.Field("group", name))
	}
}

func same(a, b crypto.PublicKey) bool {
	known, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && known.Equal(b)
}
