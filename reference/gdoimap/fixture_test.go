package gdoimap

import (
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	//go:embed testdata/signer.pub.pem
	signerPEM []byte
	//go:embed testdata/ecdsa.pub.pem
	ecdsaPEM []byte
)

func der(data []byte) []byte {
	block, _ := pem.Decode(data)
	return block.Bytes
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("bad test value: %v", err)
	}
	return b
}

// from returns n octets that count up from first.
func from(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func seconds(n int) *time.Duration {
	d := time.Duration(n) * time.Second
	return &d
}

// The values of the worked example, but for the SIG_ALGORITHM_KEY that it leaves out.
func exampleRekey() *policy.RekeySA {
	return &policy.RekeySA{
		SPI:          policy.RekeySPI([]byte("\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd7")),
		Source:       netip.MustParseAddrPort("192.0.2.10:848"),
		Destination:  netip.MustParseAddrPort("239.1.1.1:848"),
		Cipher:       policy.KEKAES,
		KeyBits:      128,
		SigHash:      policy.SigHashSHA256,
		SigAlgorithm: policy.SigRSA,
		SigKeyBits:   2048,
		Lifetime:     86400 * time.Second,
		IV:           from(0x40, 16),
		Key:          from(0x50, 16),
		PublicKey:    der(signerPEM),
	}
}

// tripleRekey is exampleRekey with 3DES, ecdsaRekey the same with ECDSA.
func tripleRekey() *policy.RekeySA {
	r := exampleRekey()
	r.Cipher, r.KeyBits, r.IV, r.Key = policy.KEK3DES, 192, from(0x40, 8), from(0x50, 24)
	return r
}

func ecdsaRekey() *policy.RekeySA {
	r := exampleRekey()
	r.SigAlgorithm, r.SigKeyBits, r.PublicKey = policy.SigECDSA256, 256, der(ecdsaPEM)
	return r
}

func exampleSA() policy.TrafficSA {
	ten := netip.MustParsePrefix("10.0.0.0/8")
	return policy.TrafficSA{
		SPI:      0x9abcdef0,
		Selector: policy.Selector{Source: ten, Destination: ten},
		Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 256, Mode: policy.ModeTunnel,
			Preservation: policy.PreserveBoth, Direction: policy.DirectionSymmetric},
		Lifetime:  3600 * time.Second,
		CipherKey: from(0x60, 36),
	}
}

func exampleActivation() policy.Activation {
	return policy.Activation{ATD: seconds(5), DTD: seconds(10)}
}

// cbcSA is an SA for one flow of a few, with the other transform and as many attributes left out as can be.
func cbcSA() policy.TrafficSA {
	return policy.TrafficSA{
		SPI: 0x100,
		Selector: policy.Selector{
			Source: netip.MustParsePrefix("10.1.2.3/32"), Destination: netip.MustParsePrefix("239.0.0.0/9"),
			Protocol: 17, SourcePort: 1000, DestinationPort: 2000,
		},
		Transform: policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256,
			Mode: policy.ModeTunnel},
		Lifetime:     28800 * time.Second,
		CipherKey:    from(0x10, 16),
		IntegrityKey: from(0x20, 32),
	}
}

// gcmSA is exampleSA with a key of 128 bits.
func gcmSA() policy.TrafficSA {
	sa := exampleSA()
	sa.Transform.KeyBits = 128
	sa.CipherKey = from(0x60, 20)
	return sa
}

// fixture is what a key server sends, to be altered.
type fixture struct {
	sa     gdoi.SA
	kd     gdoi.KD
	vendor *policy.ReplayAttributes // of a member of the profile getvpn
}

// The order in a fixture: SAK, GAP, SAT of GCM, SAT of CBC; KEK, TEK of GCM, TEK of CBC, SID.
const (
	atSAK = iota
	atGAP
	atGCM
	atCBC
)

const (
	atKEK = iota
	atTEKofGCM
	atTEKofCBC
	atSID
)

// The order in a fixture of others: SATs and TEKs alike.
const (
	atGMAC = iota
	at3DES
	atNULL
)

// others are SAs of the transforms that the first fixture has not, one of them with extended sequence numbers.
func others() []policy.TrafficSA {
	of := func(spi uint32, t policy.Transform) policy.TrafficSA {
		sa := exampleSA()
		t.Mode = policy.ModeTunnel
		sa.SPI, sa.Transform = spi, t
		sa.CipherKey, sa.IntegrityKey = nil, nil
		if n := t.CipherKeyLen(); n > 0 {
			sa.CipherKey = from(1, n)
		}
		if n := t.IntegrityKeyLen(); n > 0 {
			sa.IntegrityKey = from(0x80, n)
		}
		return sa
	}
	return []policy.TrafficSA{
		of(0x301, policy.Transform{Cipher: policy.CipherGMAC, KeyBits: 128}),
		of(0x302, policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1, ESN: true}),
		of(0x303, policy.Transform{Cipher: policy.CipherNULL, Integrity: policy.IntegrityHMACSHA512}),
	}
}

func newOthers(rules *rule.Switches) *fixture {
	return &fixture{sa: SAOf(nil, policy.Activation{}, others(), rules), kd: KDOf(nil, others(), nil, rules)}
}

func newFixture(rules *rule.Switches) *fixture { return fixtureOf(exampleRekey(), rules) }

func fixtureOf(rekey *policy.RekeySA, rules *rule.Switches) *fixture {
	sas := []policy.TrafficSA{gcmSA(), cbcSA()}
	return &fixture{
		sa: SAOf(rekey, exampleActivation(), sas, rules),
		kd: KDOf(rekey, sas, &policy.SIDs{Bits: 8, Values: []uint32{5, 6}}, rules),
	}
}

func (f *fixture) sak(alter func(*gdoi.SAK)) {
	p := f.sa.Attributes[atSAK].(gdoi.SAK)
	alter(&p)
	f.sa.Attributes[atSAK] = p
}

func (f *fixture) gap(alter func(*gdoi.GAP)) {
	p := f.sa.Attributes[atGAP].(gdoi.GAP)
	alter(&p)
	f.sa.Attributes[atGAP] = p
}

func (f *fixture) sat(at int, alter func(*gdoi.SAT)) {
	p := f.sa.Attributes[at].(gdoi.SAT)
	alter(&p)
	f.sa.Attributes[at] = p
}

// order rearranges the attribute payloads.
func (f *fixture) order(places ...int) {
	var ps []isakmp.Payload
	for _, at := range places {
		ps = append(ps, f.sa.Attributes[at])
	}
	f.sa.Attributes = ps
	f.sa.AttributeNext = uint16(ps[0].Type())
}

// insert puts a payload in front of that place.
func (f *fixture) insert(at int, p isakmp.Payload) {
	ps := append([]isakmp.Payload(nil), f.sa.Attributes[:at]...)
	f.sa.Attributes = append(append(ps, p), f.sa.Attributes[at:]...)
}

func (f *fixture) reserve(at int) {
	f.sa.Attributes[at] = isakmp.Framed{Payload: f.sa.Attributes[at], Reserved: 1}
}

// packets rearranges the key packets.
func (f *fixture) packets(places ...int) {
	var ps []gdoi.KeyPacket
	for _, at := range places {
		ps = append(ps, f.kd.Packets[at])
	}
	f.kd.Packets = ps
}

func without(as []wire.Attribute, number uint16) (rest []wire.Attribute) {
	for _, a := range as {
		if a.Type != number {
			rest = append(rest, a)
		}
	}
	return rest
}

// with replaces the attribute of that number, or adds it.
func with(as []wire.Attribute, a wire.Attribute) []wire.Attribute {
	out := append([]wire.Attribute(nil), as...)
	for i := range out {
		if out[i].Type == a.Type {
			out[i] = a
			return out
		}
	}
	return append(out, a)
}

// receive encodes both payloads and reads them as a member does.
func (f *fixture) receive(t testing.TB, rules *rule.Switches) (Policy, *policy.SIDs, error) {
	t.Helper()
	sa, err := gdoi.ParseSA(body(t, f.sa), 0)
	if err != nil {
		return Policy{}, nil, err
	}
	p, err := readChain(sa, chain{rules: rules, reading: reading{replay: f.vendor}})
	if err != nil {
		return p, nil, err
	}
	kd, err := gdoi.ParseKD(body(t, f.kd), 0)
	if err != nil {
		return p, nil, err
	}
	sids, err := p.AddKeys(kd, rules)
	return p, sids, err
}

func body(t testing.TB, p isakmp.Payload) []byte {
	t.Helper()
	b, err := p.AppendBody(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// altered is switches with one guard altered.
func altered(t testing.TB, name string, m rule.Mutation) *rule.Switches {
	t.Helper()
	rules := new(rule.Switches)
	if err := rules.Set(name, m.String()); err != nil {
		t.Fatal(err)
	}
	return rules
}

// own are the guards of this package of that kind.
func own(kind rule.Kind, prefix string) (guards []*rule.Guard) {
	for _, g := range rule.All() {
		if g.Kind == kind && strings.HasPrefix(g.Name, prefix) {
			guards = append(guards, g)
		}
	}
	return guards
}

// violated returns the guard that an error names.
func violated(t testing.TB, err error) *rule.Guard {
	t.Helper()
	var v *rule.Violation
	if !errors.As(err, &v) {
		t.Fatalf("%v is no violation", err)
	}
	return v.Guard
}

// pkcs1 is the same public key as RSAPublicKey.
func pkcs1() []byte {
	key, err := x509.ParsePKIXPublicKey(der(signerPEM))
	if err != nil {
		panic(err)
	}
	return x509.MarshalPKCS1PublicKey(key.(*rsa.PublicKey))
}
