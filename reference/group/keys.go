package group

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes in the keys of Data-Security SAs.
var (
	guardSalt = rule.Duty("group.tek.salt", "RFC4106-4-02", rule.KS,
		"the salt of a counter mode is unpredictable")
	guardThreeKeys = rule.Duty("group.tek.3des", "RFC2451-2.4-01", rule.KS,
		"a key of 3DES is three different keys")
)

// The Rekey SA uses AES in CBC mode with 128 bits.
const (
	kekBits  = 128
	ivOctets = 16
)

// rekeySA is a Rekey SA with its life.
type rekeySA struct {
	policy.RekeySA        // with its whole lifetime
	sequence       uint32 // of the last PUSH under it
	expires        time.Time
	replace        time.Time
	heard          time.Time // once retired: until then acknowledgements are taken
}

// trafficSA is a Data-Security SA with its life.
type trafficSA struct {
	policy.TrafficSA // with its whole lifetime
	expires          time.Time
	replace          time.Time
}

// epoch is what a group hands out together. It does not change once it is in force, but for the sequence number.
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
	material := make([]byte, 16+ivOctets+kekBits/8)
	if err := g.random(material); err != nil {
		return nil, err
	}
	r := &rekeySA{RekeySA: policy.RekeySA{
		Source: g.opts.Source, Destination: g.destination(),
		Cipher: policy.KEKAES, KeyBits: kekBits,
		SigHash: policy.SigHashSHA256, SigAlgorithm: policy.SigRSA, SigKeyBits: g.opts.SigKeyBits,
		Ack: g.cfg.Rekey.Ack, Lifetime: kekLifetime(g.cfg.Rekey),
		IV: material[16 : 16+ivOctets], Key: material[16+ivOctets:], PublicKey: g.opts.PublicKey,
	}}
	copy(r.SPI[:], material)
	if g.epoch != nil && !guardNewCookies.Kept(g.opts.Rules) {
		r.SPI = g.epoch.rekey.SPI
	}
	return r, nil
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
		SPI: spi, Selector: p.Selector, Transform: p.Transform, Lifetime: tekLifetime(p),
		CipherKey: material[:cipherOctets:cipherOctets], IntegrityKey: material[cipherOctets:],
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
	if !guardThreeKeys.Kept(g.opts.Rules) {
		copy(material[desKey:], material[:desKey])
		return nil
	}
	for !threeKeys(material) { // once in a blue moon
		if err := g.random(material); err != nil {
			return err
		}
	}
	return nil
}

// desKey is the length of one of the three keys of 3DES.
const desKey = 8

// threeKeys reports whether no two of the keys of 3DES are the same to DES, which takes no notice of the parity in the lowest
// bits: with two the same it would be little better than DES (RFC 2451 §2.4).
func threeKeys(material []byte) bool {
	same := func(i, j int) bool {
		for n := range desKey {
			if (material[i*desKey+n]^material[j*desKey+n])>>1 != 0 {
				return false
			}
		}
		return true
	}
	return !same(0, 1) && !same(1, 2) && !same(0, 2)
}

// newSPI chooses an SPI that the group has not in use (RFC 6407 §3.2: all SPIs are chosen by the key server).
func (g *Group) newSPI(beside []*trafficSA) (uint32, error) {
	if !guardReservedSPI.Kept(g.opts.Rules) {
		return uint32(1 + (len(g.usedSPIs)+len(beside))%255), nil
	}
	for {
		var b [4]byte
		if err := g.random(b[:]); err != nil {
			return 0, err
		}
		spi := binary.BigEndian.Uint32(b[:])
		if _, used := g.usedSPIs[spi]; spi > 255 && !used && !hasSPI(beside, spi) {
			return spi, nil
		}
	}
}

func hasSPI(sas []*trafficSA, spi uint32) bool {
	for _, sa := range sas {
		if sa.SPI == spi {
			return true
		}
	}
	return false
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
