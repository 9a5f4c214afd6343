package group

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes in the keys of Data-Security SAs.
var (
	guardSalt = rule.Duty("group.tek.salt", "RFC4106-4-02", rule.KS,
		"the salt of a counter mode is unpredictable")
	guardThreeTEKs = rule.Duty("group.tek.3des", "RFC2451-2.3-01", rule.KS,
		"no two keys in a key of 3DES are the same")
)

// spiOctets is the length of a policy.RekeySPI.
const spiOctets = 16

// rekeySA is a Rekey SA with its life.
type rekeySA struct {
	policy.RekeySA        // with its whole lifetime
	sequence       uint32 // of the last PUSH under it
	expires        time.Time
	replace        time.Time
	heard          time.Time // once retired: until then acknowledgements are taken
	tree           *keyTree  // of which the KEK is the root; nil without LKH
}

// trafficSA is a Data-Security SA with its life.
type trafficSA struct {
	policy.TrafficSA // with its whole lifetime
	expires          time.Time
	replace          time.Time
}

// epoch is what a group hands out together. It does not change once it is in force, but for the sequence number and the places
// of members in a hierarchy of keys.
type epoch struct {
	rekey *rekeySA     // nil without rekey
	sas   []*trafficSA // one for each SA of the policy, in its order
}

// newEpoch makes all keys of a group. Their lives begin when it is adopted.
func (g *Group) newEpoch() (*epoch, error) {
	e := &epoch{}
	if g.cfg.Rekey.Transport != policy.TransportNone {
		kek, err := g.newRekeySA()
		if err != nil {
			return nil, err
		}
		e.rekey = kek
		if err := g.plant(kek); err != nil {
			return nil, err
		}
	}
	for _, sa := range g.cfg.SAs {
		tek, err := g.newTrafficSA(sa, e.sas)
		if err != nil {
			return nil, err
		}
		e.sas = append(e.sas, tek)
	}
	return e, nil
}

func (g *Group) newRekeySA() (*rekeySA, error) {
	cfg := g.cfg.Rekey
	kek := kekTransform(cfg)
	form, _ := kek.Cipher.Form()
	material, err := g.newKEK(spiOctets)
	if err != nil {
		return nil, err
	}
	iv, key := material[spiOctets:spiOctets+form.IV], material[spiOctets+form.IV:]
	r := &rekeySA{RekeySA: policy.RekeySA{
		Source: g.opts.Source, Destination: g.destination(),
		Cipher: kek.Cipher, KeyBits: kek.KeyBits,
		SigHash: g.sigHash(), SigAlgorithm: g.opts.SigAlgorithm, SigKeyBits: g.opts.SigKeyBits, SigForm: cfg.SigForm,
		Ack: g.asks(), Lifetime: kekLifetime(cfg),
		IV: iv, Key: key, PublicKey: g.opts.PublicKey,
	}}
	copy(r.SPI[:], material)
	if g.epoch != nil && !guardNewCookies.Kept(g.opts.Rules) {
		r.SPI = g.epoch.rekey.SPI
	}
	return r, nil
}

// newKEK draws IV and key of a KEK, and so many octets before them.
func (g *Group) newKEK(before int) ([]byte, error) {
	kek := kekTransform(g.cfg.Rekey)
	form, _ := kek.Cipher.Form()
	material := make([]byte, before+form.IV+kek.KeyBits/8)
	if err := g.random(material); err != nil {
		return nil, err
	}
	if kek.Cipher != policy.KEK3DES {
		return material, nil
	}
	return material, g.threeKeys(material[before+form.IV:], guardThreeKEKs)
}

// threeKeys draws the key of 3DES again while two of its parts are the same (RFC 6407 §5.3.2.2, RFC 2451 §2.3).
func (g *Group) threeKeys(key []byte, duty *rule.Guard) error {
	for draw := 0; !keymat.Independent(key); draw++ {
		if draw == draws {
			return g.constant("a key of 3DES with three different parts")
		}
		if err := g.random(key); err != nil {
			return err
		}
	}
	if !duty.Kept(g.opts.Rules) {
		copy(key[8:16], key[:8])
	}
	return nil
}

// kekTransform is the cipher of the Rekey SA.
func kekTransform(r policy.RekeyPolicy) policy.KEKTransform {
	if r.KEK == (policy.KEKTransform{}) {
		return policy.DefaultKEK
	}
	return r.KEK
}

// sigHash is the hash of signatures: that of the algorithm, that of the policy, or SHA-256.
func (g *Group) sigHash() policy.SigHash {
	if fixed := g.opts.SigAlgorithm.Hash(); fixed != 0 {
		return fixed
	}
	if g.cfg.Rekey.SigHash != 0 {
		return g.cfg.Rekey.SigHash
	}
	return policy.SigHashSHA256
}

// destination is where PUSH messages go. To each member by itself has no one address to name.
func (g *Group) destination() netip.AddrPort {
	if g.cfg.Rekey.Transport == policy.TransportMulticast {
		return g.cfg.Rekey.Address
	}
	if g.opts.Source.Addr().Is6() {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
}

// newTrafficSA makes an SA with its keys; beside are those made together with it.
func (g *Group) newTrafficSA(p policy.SAPolicy, beside []*trafficSA) (*trafficSA, error) {
	p.Transform = g.marked(g.chosen(p.Transform))
	cipherOctets := p.Transform.CipherKeyLen()
	material := make([]byte, cipherOctets+p.Transform.IntegrityKeyLen())
	if err := g.newMaterial(p.Transform, material); err != nil {
		return nil, err
	}
	spi, err := g.newSPI(beside)
	if err != nil {
		return nil, err
	}
	t := &trafficSA{TrafficSA: policy.TrafficSA{
		SPI: spi, Selector: p.Flows()[0], Transform: p.Transform, Lifetime: tekLifetime(p),
		CipherKey: material[:cipherOctets:cipherOctets], IntegrityKey: material[cipherOctets:],
		Handling: p.Handling, Replay: g.replayOf(p), Zeros: g.cfg.ZeroAttributes,
	}}
	if len(beside) > 0 && !guardOwnKey.Kept(g.opts.Rules) && len(beside[0].CipherKey) == cipherOctets {
		t.CipherKey = beside[0].CipherKey
	}
	return t, nil
}

// newMaterial draws the keys of an SA.
func (g *Group) newMaterial(t policy.Transform, material []byte) error {
	if err := g.random(material); err != nil {
		return err
	}
	form, _ := t.Cipher.Form()
	if form.Salt > 0 && !guardSalt.Kept(g.opts.Rules) {
		clear(material[t.CipherKeyLen()-form.Salt : t.CipherKeyLen()])
	}
	if t.Cipher != policy.Cipher3DES {
		return nil
	}
	return g.threeKeys(material[:t.CipherKeyLen()], guardThreeTEKs)
}

// newSPI chooses an SPI that the group has not in use (RFC 6407 §3.2: all SPIs are chosen by the key server).
func (g *Group) newSPI(beside []*trafficSA) (uint32, error) {
	if !guardReservedSPI.Kept(g.opts.Rules) {
		return uint32(1 + (len(g.usedSPIs)+len(beside))%255), nil
	}
	for range draws {
		var b [4]byte
		if err := g.random(b[:]); err != nil {
			return 0, err
		}
		spi := binary.BigEndian.Uint32(b[:])
		if _, used := g.usedSPIs[spi]; spi > 255 && !used && !hasSPI(beside, spi) {
			return spi, nil
		}
	}
	return 0, g.constant("an SPI that is not in use")
}

func hasSPI(sas []*trafficSA, spi uint32) bool {
	for _, sa := range sas {
		if sa.SPI == spi {
			return true
		}
	}
	return false
}

// draws is how often something random is drawn before the source is held to be broken. From a sound one a single draw is
// unsuitable with a chance of less than one in a million.
const draws = 100

// constant is the error of a source that does not give what every sound one gives.
func (g *Group) constant(what string) error {
	return fmt.Errorf("group %s: random octets: in %d draws there was not %s; the source repeats itself", g.cfg.Name, draws, what)
}

func (g *Group) random(b []byte) error {
	if _, err := io.ReadFull(g.opts.Rand, b); err != nil {
		return fmt.Errorf("group %s: random octets: %w", g.cfg.Name, err)
	}
	return nil
}

// counterMode reports whether members need SIDs (RFC 6407 §3.5).
func (g *Group) counterMode() bool {
	for _, sa := range g.cfg.SAs {
		if sa.Transform.CounterMode() {
			return true
		}
	}
	return false
}

func kekLifetime(r policy.RekeyPolicy) time.Duration {
	if r.KEKLifetime == 0 {
		return defaultKEKLifetime
	}
	return r.KEKLifetime
}

func tekLifetime(p policy.SAPolicy) time.Duration {
	if p.Lifetime == 0 {
		return defaultTEKLifetime
	}
	return p.Lifetime
}
