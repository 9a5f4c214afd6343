package keyserver

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server of GET VPN advises its operator against. All of it works.
var (
	guardAdviceWrap = rule.Duty("keyserver.advice.wrap", "GETVPN-CBAR-05", rule.KS,
		"an operator is told of an SA that lives longer than its sequence numbers suffice")
	guardAdviceKey = rule.Duty("keyserver.advice.key", "GETVPN-REKEY-24", rule.KS,
		"an operator is told of an RSA key for signatures that is shorter than 2048 bits")
)

// advise tells an operator of lifetimes that the vendor advises against (GETVPN-TIMER-06, -12, -13, GETVPN-CBAR-05).
func (k *KeyServer) advise(cfg policy.Group) {
	for _, line := range k.advice(cfg) {
		k.log(core.Warning, "LIFETIME_ADVICE", line, field("group", cfg.ID))
	}
}

func (k *KeyServer) advice(cfg policy.Group) []string {
	if k.cfg.Profile != policy.ProfileGETVPN {
		return nil
	}
	all := cfg.Advice()
	for _, sa := range cfg.SAs {
		line := policy.WrapAdvice(cfg.PacketRate, sa.Lives(), sa.Transform.ESN)
		if line != "" && guardAdviceWrap.Kept(k.opts.Rules) && !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	return all
}

// adviseAgain tells of what another policy of a group is advised against that the one before was not.
func (k *KeyServer) adviseAgain(was, is policy.Group) {
	if !slices.Equal(k.advice(was), k.advice(is)) {
		k.advise(is)
	}
}

// adviseKey tells an operator of a signing key that is too short.
func (k *KeyServer) adviseKey() {
	if k.cfg.Profile != policy.ProfileGETVPN || k.signing == nil {
		return
	}
	if bits := policy.WeakBy(k.signing.Public()); bits > 0 && guardAdviceKey.Kept(k.opts.Rules) {
		k.log(core.Warning, "SIGNING_KEY_WEAK", fmt.Sprintf("rekeys are signed with an RSA key of %d bits; it should have %d or more", bits, policy.GoodSigningBits))
	}
}

// adviseNewKey is adviseKey of a key that has taken the place of another.
func (k *KeyServer) adviseNewKey(was policy.KeyServer) {
	if !bytes.Equal(was.SigningKey, k.cfg.SigningKey) {
		k.adviseKey()
	}
}
