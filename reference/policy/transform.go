package policy

import (
	"fmt"
	"slices"
)

// Cipher is the IPsec ESP transform identifier of RFC 2407 §4.4.4 and its successors (IKEv1 numbers).
type Cipher uint8

// The ESP transforms in use.
const (
	Cipher3DES     Cipher = 3
	CipherNULL     Cipher = 11
	CipherAESCBC   Cipher = 12
	CipherAESGCM8  Cipher = 18
	CipherAESGCM12 Cipher = 19
	CipherAESGCM16 Cipher = 20
	CipherGMAC     Cipher = 23 // NULL_AUTH_AES-GMAC: integrity only (RFC 4543)
)

// Integrity is the Authentication Algorithm of RFC 2407 §4.5; zero for combined modes.
type Integrity uint16

// The integrity algorithms in use.
const (
	IntegrityNone       Integrity = 0
	IntegrityHMACSHA1   Integrity = 2 // RFC 2404, truncated to 12 octets
	IntegrityHMACSHA256 Integrity = 5 // RFC 4868, truncated to 16 octets
	IntegrityHMACSHA384 Integrity = 6 // RFC 4868, truncated to 24 octets
	IntegrityHMACSHA512 Integrity = 7 // RFC 4868, truncated to 32 octets
)

// CipherForm is a row of the table of ESP transforms, which key server, member, data path and the readers of captures share.
// Lengths are in octets.
type CipherForm struct {
	Cipher  Cipher
	KeyBits []int // what Key Length may say (RFC 2407 §4.5); empty: the attribute is left out
	Key     int   // length of the key where there is no Key Length; 0: no key at all
	Salt    int   // behind the key in TEK_ALGORITHM_KEY: of counter modes
	IV      int   // on the wire
	Block   int   // what is encrypted has a multiple of that (RFC 4303 §2.4)
	ICV     int   // of a combined mode, which protects integrity by itself; 0: an integrity algorithm makes it

	name string // in a configuration; %d is the length of the key in bits
	text string // as an operator reads it
}

// Combined reports whether the transform protects integrity by itself, so that no Authentication Algorithm goes with it.
func (c CipherForm) Combined() bool { return c.ICV > 0 }

// IntegrityForm is a row of the table of integrity algorithms. Lengths are in octets.
type IntegrityForm struct {
	Integrity Integrity
	Key       int // TEK_INTEGRITY_KEY
	ICV       int

	name, text string
}

var aesBits = []int{128, 192, 256}

// The ESP transforms and the integrity algorithms, in the order in which problems of a configuration list them.
var (
	cipherForms = []CipherForm{
		{Cipher: CipherAESGCM16, KeyBits: aesBits, Salt: 4, IV: 8, Block: 4, ICV: 16, name: "aes%d-gcm16", text: "aes-gcm-16-%d"},
		{Cipher: CipherAESGCM12, KeyBits: aesBits, Salt: 4, IV: 8, Block: 4, ICV: 12, name: "aes%d-gcm12", text: "aes-gcm-12-%d"},
		{Cipher: CipherAESGCM8, KeyBits: aesBits, Salt: 4, IV: 8, Block: 4, ICV: 8, name: "aes%d-gcm8", text: "aes-gcm-8-%d"},
		{Cipher: CipherGMAC, KeyBits: aesBits, Salt: 4, IV: 8, Block: 4, ICV: 16, name: "aes%d-gmac", text: "null-aes-gmac-%d"},
		{Cipher: CipherAESCBC, KeyBits: aesBits, IV: 16, Block: 16, name: "aes%d-cbc", text: "aes-cbc-%d"},
		{Cipher: Cipher3DES, Key: 24, IV: 8, Block: 8, name: "3des", text: "3des-cbc"},
		{Cipher: CipherNULL, Block: 4, name: "null", text: "null"},
	}
	integrityForms = []IntegrityForm{
		{Integrity: IntegrityHMACSHA256, Key: 32, ICV: 16, name: "hmac-sha256", text: "hmac-sha-256-128"},
		{Integrity: IntegrityHMACSHA384, Key: 48, ICV: 24, name: "hmac-sha384", text: "hmac-sha-384-192"},
		{Integrity: IntegrityHMACSHA512, Key: 64, ICV: 32, name: "hmac-sha512", text: "hmac-sha-512-256"},
		{Integrity: IntegrityHMACSHA1, Key: 20, ICV: 12, name: "hmac-sha1", text: "hmac-sha-1-96"},
	}
)

// Form finds the row of a transform. It is not ok for one that is not in use here.
func (c Cipher) Form() (form CipherForm, ok bool) {
	i := slices.IndexFunc(cipherForms, func(f CipherForm) bool { return f.Cipher == c })
	if i < 0 {
		return CipherForm{}, false
	}
	return cipherForms[i], true
}

// Form finds the row of an integrity algorithm. It is not ok for one that is not in use here, nor for none.
func (a Integrity) Form() (form IntegrityForm, ok bool) {
	i := slices.IndexFunc(integrityForms, func(f IntegrityForm) bool { return f.Integrity == a })
	if i < 0 {
		return IntegrityForm{}, false
	}
	return integrityForms[i], true
}

// Transforms lists every combination of algorithms that is in use: each combined mode by itself, each other transform with
// each integrity algorithm, and all of them with each length of key. Nothing else is set in them.
func Transforms() (all []Transform) {
	for _, c := range cipherForms {
		for _, bits := range c.lengths() {
			t := Transform{Cipher: c.Cipher, KeyBits: bits}
			if c.Combined() {
				all = append(all, t)
				continue
			}
			for _, a := range integrityForms {
				t.Integrity = a.Integrity
				all = append(all, t)
			}
		}
	}
	return all
}

// AHTransforms lists the algorithms of AH (RFC 4302), which are those that ESP has beside a cipher. Nothing else is set in them.
func AHTransforms() (all []Transform) {
	for _, a := range integrityForms {
		all = append(all, Transform{Protocol: ProtocolAH, Integrity: a.Integrity})
	}
	return all
}

// lengths are what Transform.KeyBits may be.
func (c CipherForm) lengths() []int {
	if len(c.KeyBits) == 0 {
		return []int{0}
	}
	return c.KeyBits
}

// Check says why the algorithms do not go together: an unknown one, a wrong length of key, a combined mode with an integrity
// algorithm, or a transform without the one that it needs. Encryption and integrity can so never both be missing (RFC 4303
// §3.2).
func (t Transform) Check() error {
	if t.Protocol == ProtocolIEC61850 {
		return t.checkIEC()
	}
	c, known := t.Cipher.Form()
	_, protects := t.Integrity.Form()
	if t.Protocol == ProtocolAH {
		if t.Cipher != 0 || t.KeyBits != 0 || !protects {
			return fmt.Errorf("AH with cipher %d and integrity algorithm %d", t.Cipher, t.Integrity)
		}
		return nil
	}
	switch {
	case !known:
		return fmt.Errorf("unknown ESP transform %d", t.Cipher)
	case !slices.Contains(c.lengths(), t.KeyBits):
		return fmt.Errorf("%s with a key of %d bits", t, t.KeyBits)
	case c.Combined() && t.Integrity != IntegrityNone:
		return fmt.Errorf("%s with an integrity algorithm beside it", t)
	case !c.Combined() && !protects:
		return fmt.Errorf("%s with integrity algorithm %d", t, t.Integrity)
	}
	return nil
}

// CipherKeyLen is the length of TEK_ALGORITHM_KEY in octets, salt included (RFC 6407 §5.6.1.1); 0 if there is none.
func (t Transform) CipherKeyLen() int {
	if t.Protocol == ProtocolIEC61850 {
		form, _ := t.Encryption.form()
		return form.key
	}
	c, _ := t.Cipher.Form()
	return c.Key + t.KeyBits/8 + c.Salt
}

// IntegrityKeyLen is the length of TEK_INTEGRITY_KEY in octets (RFC 6407 §5.6.1.2); 0 if there is none.
func (t Transform) IntegrityKeyLen() int {
	if t.Protocol == ProtocolIEC61850 {
		form, _ := t.Authentication.form()
		return form.key
	}
	a, _ := t.Integrity.Form()
	return a.Key
}

// ICVLen is the length in octets of what a packet ends with.
func (t Transform) ICVLen() int {
	c, _ := t.Cipher.Form()
	a, _ := t.Integrity.Form()
	return c.ICV + a.ICV
}

// CounterMode reports whether senders need a SID to build their IVs (RFC 6407 §3.5): all modes of GCM, GMAC included.
func (t Transform) CounterMode() bool {
	c, _ := t.Cipher.Form()
	return c.Salt > 0
}

// algorithms is the transform without everything but its algorithms, as Transforms lists it.
func (t Transform) algorithms() Transform {
	return Transform{Protocol: t.Protocol, Cipher: t.Cipher, KeyBits: t.KeyBits, Integrity: t.Integrity}
}

// Name is the word for the algorithms in a configuration: "aes128-gcm16", "3des-hmac-sha1".
func (t Transform) Name() string {
	if t.Protocol == ProtocolIEC61850 {
		return t.nameIEC()
	}
	c, _ := t.Cipher.Form()
	name := sized(c.name, t.KeyBits)
	if t.Protocol == ProtocolAH {
		name = "ah"
	}
	if a, ok := t.Integrity.Form(); ok {
		name += "-" + a.name
	}
	return name
}

// String names the algorithms as an operator reads them: "aes-gcm-16-128", "aes-cbc-128 hmac-sha-256-128".
func (t Transform) String() string {
	if t.Protocol == ProtocolIEC61850 {
		return t.textIEC()
	}
	text := fmt.Sprintf("cipher-%d-%d", t.Cipher, t.KeyBits)
	if c, ok := t.Cipher.Form(); ok {
		text = sized(c.text, t.KeyBits)
	}
	if t.Protocol == ProtocolAH {
		text = "ah"
	}
	if a, ok := t.Integrity.Form(); ok {
		text += " " + a.text
	}
	if t.ESN {
		text += " esn"
	}
	return text
}

// sized puts the length of a key into the name of an algorithm that has several.
func sized(name string, bits int) string {
	if bits == 0 {
		return name
	}
	return fmt.Sprintf(name, bits)
}
