package keymat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"errors"
	"fmt"
)

// IKEv2Suite is how the keys of an IKE SA are derived and its messages protected (RFC 7296 §2.13, §3.14; RFC 5282).
type IKEv2Suite struct {
	PRF       Hash   // HMAC of it
	Cipher    Cipher // in CBC mode
	KeyLen    int    // of the cipher's key in octets
	GCM       bool   // AES-GCM with an ICV of 16 octets, instead of Cipher and Integrity
	Integrity Hash   // HMAC of it, cut to half its length, with SHA-1 to 12 octets (RFC 2404, RFC 4868)
}

const (
	gcmSalt = 4 // octets of key material behind the key (RFC 5282 §7.1)
	gcmIV   = 8
	gcmICV  = 16
)

var (
	// ErrProtected means that what an SK payload holds was not protected with the key, or is not whole.
	ErrProtected = errors.New("keymat: the integrity checksum does not verify")
	// ErrPadding means that what was protected says that it has more padding than octets (RFC 7296 §3.14).
	ErrPadding = errors.New("keymat: more padding than octets")
)

// IKEv2Input is what both sides know at the end of an exchange that has made a shared secret.
type IKEv2Input struct {
	Shared     []byte // g^ir in the group's full length
	Ni, Nr     []byte // nonces
	SPIi, SPIr [8]byte
}

// IKEv2Keys are the keys of an IKE SA (RFC 7296 §2.14): those that others are derived from, and for each direction those of integrity,
// encryption and AUTH payloads. E has the salt behind the key with GCM, and A is empty then.
type IKEv2Keys struct {
	D              []byte
	AI, AR, EI, ER []byte
	PI, PR         []byte
}

// Derive derives the keys of a new IKE SA (RFC 7296 §2.14).
func (s IKEv2Suite) Derive(in IKEv2Input) IKEv2Keys {
	return s.keys(s.PRF.PRF(bytes.Join([][]byte{in.Ni, in.Nr}, nil), in.Shared), in)
}

// Rekey derives the keys of an IKE SA that takes the place of another, by that one's SK_d and PRF (RFC 7296 §2.18).
func (s IKEv2Suite) Rekey(of Hash, d []byte, in IKEv2Input) IKEv2Keys {
	return s.keys(of.PRF(d, in.Shared, in.Ni, in.Nr), in)
}

func (s IKEv2Suite) keys(skeyseed []byte, in IKEv2Input) IKEv2Keys {
	p, a, e := s.PRF.Size(), 0, s.KeyLen+gcmSalt
	if !s.GCM {
		a, e = s.Integrity.Size(), s.KeyLen
	}
	seed := bytes.Join([][]byte{in.Ni, in.Nr, in.SPIi[:], in.SPIr[:]}, nil)
	all := PRFPlus(s.PRF, skeyseed, seed, 3*p+2*a+2*e)
	var k IKEv2Keys
	for _, part := range []struct {
		key    *[]byte
		octets int
	}{{&k.D, p}, {&k.AI, a}, {&k.AR, a}, {&k.EI, e}, {&k.ER, e}, {&k.PI, p}, {&k.PR, p}} {
		*part.key, all = all[:part.octets:part.octets], all[part.octets:]
	}
	return k
}

// PRFPlus are n octets of prf+ (RFC 7296 §2.13), which has at most 255 times the size of the hash.
func PRFPlus(h Hash, key, seed []byte, n int) []byte {
	if n > 255*h.Size() {
		panic(fmt.Sprintf("keymat: prf+ does not have %d octets", n))
	}
	var out, t []byte
	for i := byte(1); len(out) < n; i++ {
		t = h.PRF(key, t, seed, []byte{i})
		out = append(out, t...)
	}
	return out[:n]
}

// IVLen is the length of the IV of a message in octets.
func (s IKEv2Suite) IVLen() int {
	if s.GCM {
		return gcmIV
	}
	return s.Cipher.BlockSize()
}

// icvLen is the length of the integrity checksum in octets.
func (s IKEv2Suite) icvLen() int {
	switch {
	case s.GCM:
		return gcmICV
	case s.Integrity == SHA1, s.Integrity == MD5:
		return 12
	}
	return s.Integrity.Size() / 2
}

// SealedLen is the length of the body of an SK payload that holds n octets of payloads.
func (s IKEv2Suite) SealedLen(n int) int {
	n++ // the octet that says how much padding there is
	if !s.GCM {
		n = padded(n, s.Cipher.BlockSize())
	}
	return s.IVLen() + n + s.icvLen()
}

// Seal appends the body of an SK payload to head, which is its message up to there: the IKE header, and the generic header of SK with
// the lengths that come out, as SealedLen says (RFC 7296 §3.14, RFC 5282 §3). The keys are those of the sender's direction; an IV must
// not come twice under one key. The error is ErrKey.
func (s IKEv2Suite) Seal(head, e, a, iv, plain []byte) ([]byte, error) {
	if len(iv) != s.IVLen() {
		return nil, ErrKey
	}
	at := len(head)
	out := append(append([]byte(nil), head...), iv...)
	if s.GCM {
		aead, nonce, err := s.aead(e, iv)
		if err != nil {
			return nil, err
		}
		return aead.Seal(out, nonce, append(append([]byte(nil), plain...), 0), out[:at]), nil
	}
	pad := padded(len(plain)+1, s.Cipher.BlockSize()) - len(plain) - 1
	whole := append(append(append([]byte(nil), plain...), make([]byte, pad)...), byte(pad))
	out, err := s.Cipher.AppendEncryptCBC(out, e, iv, whole)
	if err != nil {
		return nil, err
	}
	return append(out, s.icv(a, out)...), nil
}

// Open returns the payloads that an SK payload holds. head is its message up to and with the generic header of SK, and body what follows.
// The error is ErrKey, ErrProtected, ErrBlocks or ErrPadding; the last two of one who has the keys.
func (s IKEv2Suite) Open(head, e, a, body []byte) ([]byte, error) {
	if len(body) < s.IVLen()+s.icvLen() {
		return nil, ErrProtected
	}
	iv, sealed := body[:s.IVLen()], body[s.IVLen():]
	var plain []byte
	var err error
	if s.GCM {
		plain, err = s.openGCM(head, e, iv, sealed)
	} else {
		plain, err = s.openCBC(head, e, a, iv, sealed)
	}
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 || int(plain[len(plain)-1]) >= len(plain) {
		return nil, ErrPadding
	}
	return plain[:len(plain)-1-int(plain[len(plain)-1])], nil
}

func (s IKEv2Suite) openGCM(head, e, iv, sealed []byte) ([]byte, error) {
	aead, nonce, err := s.aead(e, iv)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nonce, sealed, head)
	if err != nil {
		return nil, ErrProtected
	}
	return plain, nil
}

func (s IKEv2Suite) openCBC(head, e, a, iv, sealed []byte) ([]byte, error) {
	ciphertext, icv := sealed[:len(sealed)-s.icvLen()], sealed[len(sealed)-s.icvLen():]
	if !hmac.Equal(s.icv(a, head, iv, ciphertext), icv) {
		return nil, ErrProtected
	}
	return s.Cipher.AppendDecryptCBC(nil, e, iv, ciphertext)
}

func (s IKEv2Suite) icv(a []byte, message ...[]byte) []byte {
	return s.Integrity.PRF(a, message...)[:s.icvLen()]
}

// aead is AES-GCM under a key with its salt, and the nonce of an IV (RFC 5282 §4).
func (s IKEv2Suite) aead(e, iv []byte) (cipher.AEAD, []byte, error) {
	if len(e) != s.KeyLen+gcmSalt {
		return nil, nil, ErrKey
	}
	block, err := aes.NewCipher(e[:s.KeyLen])
	if err != nil {
		return nil, nil, ErrKey
	}
	aead, err := cipher.NewGCM(block)
	return aead, append(append([]byte(nil), e[s.KeyLen:]...), iv...), err
}
