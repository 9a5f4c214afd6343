package esp

import (
	"crypto/aes"
	"crypto/des"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// parts is what a suite is made from: the keys have the right lengths.
type parts struct {
	policy.TrafficSA
	esn  bool
	form policy.CipherForm
	mac  integrity // of the algorithm that goes with the cipher, if there is one
	Options
}

// ciphers makes the suite of each transform. Its lengths are in the table of package policy.
var ciphers = map[policy.Cipher]func(parts) (suite, error){
	policy.CipherAESGCM16: func(p parts) (suite, error) { return newGCM(p) },
	policy.CipherAESGCM12: func(p parts) (suite, error) { return newGCM(p) },
	policy.CipherAESGCM8:  func(p parts) (suite, error) { return newShortGCM(p) },
	policy.CipherGMAC:     func(p parts) (suite, error) { return newGMAC(p) },
	policy.CipherAESCBC:   func(p parts) (suite, error) { return newSeparate(p, newCBC(aes.NewCipher, guardRandomIV)) },
	policy.Cipher3DES:     func(p parts) (suite, error) { return newSeparate(p, newCBC(des.NewTripleDESCipher, guardRandomIV3DES)) },
	policy.CipherNULL:     func(p parts) (suite, error) { return newSeparate(p, newNULL) },
}

// integrity is an HMAC at work and the duty to send as much of it as its RFC says.
type integrity struct {
	hash func() hash.Hash
	cut  *rule.Guard
}

var integrities = map[policy.Integrity]integrity{
	policy.IntegrityHMACSHA1:   {sha1.New, guardICVLengthSHA1},
	policy.IntegrityHMACSHA256: {sha256.New, guardICVLength},
	policy.IntegrityHMACSHA384: {sha512.New384, guardICVLength},
	policy.IntegrityHMACSHA512: {sha512.New, guardICVLength},
}

// combinedCut are the duties to send the whole ICV of a combined mode.
var combinedCut = map[policy.Cipher]*rule.Guard{
	policy.CipherAESGCM16: guardICVLengthGCM,
	policy.CipherAESGCM12: guardICVLengthGCM,
	policy.CipherAESGCM8:  guardICVLengthGCM,
	policy.CipherGMAC:     guardICVLengthGMAC,
}

// newSuite sets up the algorithms of an SA and checks the lengths of its keys.
func newSuite(t policy.TrafficSA, esn bool, o Options) (suite, sizes, error) {
	tr := t.Transform
	if err := tr.Check(); err != nil {
		return nil, sizes{}, fmt.Errorf("%w: %w", ErrTransform, err)
	}
	if len(t.CipherKey) != tr.CipherKeyLen() || len(t.IntegrityKey) != tr.IntegrityKeyLen() {
		return nil, sizes{}, fmt.Errorf("%w: %s has keys of %d and %d octets", ErrTransform, tr, len(t.CipherKey), len(t.IntegrityKey))
	}
	form, _ := tr.Cipher.Form()
	p := parts{TrafficSA: t, esn: esn, form: form, mac: integrities[tr.Integrity], Options: o}
	s, err := ciphers[tr.Cipher](p)
	if err != nil {
		return nil, sizes{}, err
	}
	z := sizes{iv: form.IV, align: form.Block, icv: tr.ICVLen(), made: tr.ICVLen(), cut: p.mac.cut}
	if form.Combined() {
		z.made, z.cut = max(z.icv, leastTag), combinedCut[tr.Cipher]
	}
	return s, z, nil
}

// refused is the violation of a packet that is not authentic.
func refused(g *rule.Guard, packet []byte) *rule.Violation {
	return g.Violated("ESP SPI %08x sequence %d is not authentic", binary.BigEndian.Uint32(packet), binary.BigEndian.Uint32(packet[4:]))
}
