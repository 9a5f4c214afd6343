package group

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// ciphers are the ESP transforms a group can use, with the octets of salt that follow the key in TEK_ALGORITHM_KEY.
var ciphers = map[policy.Cipher]struct {
	salt     int
	combined bool
}{
	policy.CipherAESCBC:   {},
	policy.CipherAESGCM16: {salt: 4, combined: true}, // RFC 4106 §8.1
}

// integrityKeys are the lengths in octets of TEK_INTEGRITY_KEY (RFC 6407 §5.6.1.2).
var integrityKeys = map[policy.Integrity]int{policy.IntegrityHMACSHA256: 32}

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
	c := ciphers[p.Transform.Cipher]
	cipherOctets := p.Transform.KeyBits/8 + c.salt
	material := make([]byte, cipherOctets+integrityKeys[p.Transform.Integrity])
	if err := g.random(material); err != nil {
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
