package keyserver

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What changes of Phase 1 do not bring about: the rows of the table of changes that are no group's. Their mutants rekey all groups.
var (
	guardChangePSK = rule.Duty("keyserver.change.psk", "GETVPN-POLICY-29", rule.KS,
		"other pre-shared keys wait for who registers next")
	guardChangePhase1 = rule.Duty("keyserver.change.phase1", "GETVPN-POLICY-32", rule.KS,
		"another policy of Phase 1 waits for who registers next")
)

var errRestart = errors.New("name, profile, addresses and NAT traversal are not changed while it runs: start the key server anew")

// configure takes a whole policy document in the place of the present one. It is refused as a whole, or in force as a whole: then
// each group has told its members what the change renews.
func (k *KeyServer) configure(now time.Time, args json.RawMessage) (control.ConfigureResult, error) {
	var what control.ConfigureArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return control.ConfigureResult{}, fmt.Errorf("arguments of configure: %w", err)
	}
	cfg, err := policy.ParseKeyServer("configuration", []byte(what.Config), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err != nil {
		return control.ConfigureResult{}, err
	}
	next, err := New(cfg, k.opts)
	if err != nil {
		return control.ConfigureResult{}, err
	}
	if err := k.changeable(next.cfg); err != nil {
		return control.ConfigureResult{}, fmt.Errorf("keyserver %s: %w", k.cfg.Name, err)
	}
	was, signed := k.cfg, k.signing != nil
	k.takeOver(next)
	k.log(core.Notice, "CONFIGURED", "another policy is in force", field("name", k.cfg.Name))
	k.adviseNewKey(was)
	if signed {
		k.tellUnsigned()
	}
	result := k.configureGroups(now)
	if k.renewsAll(was.Phase1, k.cfg.Phase1) {
		for _, c := range k.groups {
			plans, err := c.Rekey(now, control.RekeyArgs{})
			k.changed(&result, c, plans, err)
		}
	}
	return result, nil
}

// changeable says what speaks against another policy while the key server runs.
func (k *KeyServer) changeable(next policy.KeyServer) error {
	if next.Name != k.cfg.Name || next.Profile != k.cfg.Profile || next.Address != k.cfg.Address || !slices.Equal(next.Router.Interfaces, k.cfg.Router.Interfaces) ||
		next.Phase1.NATTraversal != k.cfg.Phase1.NATTraversal {
		return errRestart
	}
	for _, cfg := range next.Groups {
		if c := k.named(cfg); c != nil {
			if err := c.Changeable(cfg); err != nil {
				return err
			}
		}
	}
	return nil
}

// named finds the group of a policy by its identity, or else, as that may change, by its name.
func (k *KeyServer) named(cfg policy.Group) *carried {
	if c := k.byID[cfg.ID]; c != nil {
		return c
	}
	for _, c := range k.groups {
		if c.Name() == cfg.Name {
			return c
		}
	}
	return nil
}

// takeOver puts in force what is no group's. Exchanges of Phase 1 that have begun go on as they were.
func (k *KeyServer) takeOver(next *KeyServer) {
	if k.signing != nil {
		k.signers = append(k.signers, k.signing)
	}
	k.cfg, k.signing, k.twofold, k.unsigned = next.cfg, next.signing, next.twofold, next.unsigned
	credentials, _ := k.cfg.Phase1.Certificates.Credentials() // New has read them
	k.phase1 = k.phase1Config(credentials)
}

// renewsAll reports whether another Phase 1 has the groups rekeyed. It has not.
func (k *KeyServer) renewsAll(was, is policy.Phase1) bool {
	keys := !slices.EqualFunc(was.PSKs, is.PSKs, samePSK) && !guardChangePSK.Kept(k.opts.Rules)
	proposals := !slices.Equal(was.Proposals, is.Proposals) && !guardChangePhase1.Kept(k.opts.Rules)
	return keys || proposals
}

func samePSK(a, b policy.PSK) bool {
	return a.Peer == b.Peer && a.Identity == b.Identity && bytes.Equal(a.Key, b.Key)
}

// configureGroups gives each group its policy, makes those that are new and ends those that are gone.
func (k *KeyServer) configureGroups(now time.Time) (result control.ConfigureResult) {
	result.Rekeys = []control.RekeyResult{}
	o := k.groupOptions()
	before := k.groups
	var after []*carried
	for _, cfg := range k.cfg.Groups {
		c := k.named(cfg)
		if c == nil {
			after = append(after, k.found(now, cfg, o)...)
			continue
		}
		k.tellChange(c, c.Policy(), cfg)
		k.adviseAgain(c.Policy(), cfg)
		plans, err := c.Configure(now, cfg, o)
		k.changed(&result, c, plans, err)
		after = append(after, c)
	}
	k.groups = after
	clear(k.byID)
	for _, c := range after {
		k.byID[c.ID()] = c
	}
	for _, c := range before {
		if !slices.Contains(after, c) {
			k.end(c)
		}
	}
	return result
}

// changed carries what a change has a group tell its members.
func (k *KeyServer) changed(result *control.ConfigureResult, c *carried, plans []group.Plan, err error) {
	k.carry(c, plans...)
	if err != nil {
		k.fail("group "+c.Name(), err)
	}
	if len(plans) > 0 {
		result.Rekeys = append(result.Rekeys, resultOf(c, plans))
	}
}

// end forgets a group. Its members have their keys until they expire, and no more of them.
func (k *KeyServer) end(c *carried) {
	for spi, of := range k.byRekey {
		if of == c {
			delete(k.byRekey, spi)
		}
	}
	k.tell(c, getvpn.KSGroupDelete)
	k.log(core.Notice, "GROUP_ENDED", "the group is no longer in the policy", field("group", c.ID()))
}

// groupOptions are what all groups get.
func (k *KeyServer) groupOptions() group.Options {
	o := group.Options{Rand: k.opts.Rand, Rules: k.opts.Rules, Source: k.cfg.Address, Profile: k.cfg.Profile}
	if k.cfg.Profile == policy.ProfileGETVPN {
		o.Replay = &k.cfg.Replay
	}
	if k.signing == nil {
		return o
	}
	var err error
	if o.PublicKey, err = keymat.MarshalPublicKey(k.signing.Public()); err != nil {
		k.fail("signing key", err)
	}
	o.SigAlgorithm, o.SigKeyBits, _ = policy.SignatureOf(k.signing.Public())
	return o
}

// found makes a group, nothing if that fails.
func (k *KeyServer) found(now time.Time, cfg policy.Group, o group.Options) []*carried {
	g, err := group.New(cfg, o, now)
	if err != nil {
		k.fail("group "+cfg.Name, err)
		return nil
	}
	c := &carried{Group: g, sealed: make(map[sealedKey][]byte)}
	k.tell(c, getvpn.KSGroupAdd)
	k.advise(cfg)
	k.tellLists(c, cfg)
	k.follow(c)
	if c.Usage() == policy.UsageReceiveOnly {
		k.tellUsage(c)
	}
	return []*carried{c}
}

// signer is the key that signs under a Rekey SA: the one whose public key its members have.
func (k *KeyServer) signer(under policy.RekeySA) crypto.Signer {
	known, err := keymat.ParsePublicKey(under.PublicKey)
	if err != nil {
		return k.signing
	}
	for _, s := range k.signers {
		if same(s.Public(), known) {
			return s
		}
	}
	return k.signing
}
