package policy

import (
	"fmt"
	"slices"
)

// KEKCipher is the KEK_ALGORITHM of RFC 6407 §5.3.2.
type KEKCipher uint16

// The ciphers of a KEK, both in CBC mode.
const (
	KEK3DES KEKCipher = 2
	KEKAES  KEKCipher = 3
)

// KEKForm is a row of the table of KEK ciphers.
type KEKForm struct {
	Cipher  KEKCipher
	KeyBits []int // what KEK_KEY_LENGTH may say; where that is one length, the attribute may be left out (RFC 6407 §5.3.3)
	IV      int   // octets in front of the key in KEK_ALGORITHM_KEY (RFC 6407 §5.6.2.1)

	name string // in a configuration; %d is the length of the key in bits
}

// Fixed reports whether all keys of the cipher have one length.
func (c KEKForm) Fixed() bool { return len(c.KeyBits) == 1 }

// The ciphers of a KEK, in the order in which problems of a configuration list them.
var kekForms = []KEKForm{
	{Cipher: KEKAES, KeyBits: aesBits, IV: 16, name: "aes%d-cbc"},
	{Cipher: KEK3DES, KeyBits: []int{192}, IV: 8, name: "3des"},
}

// Form finds the row of a cipher. It is not ok for one that is not in use here.
func (c KEKCipher) Form() (form KEKForm, ok bool) {
	i := slices.IndexFunc(kekForms, func(f KEKForm) bool { return f.Cipher == c })
	if i < 0 {
		return KEKForm{}, false
	}
	return kekForms[i], true
}

// KEKTransform is the cipher of a KEK with the length of its key.
type KEKTransform struct {
	Cipher  KEKCipher
	KeyBits int
}

// DefaultKEK is the cipher of a KEK if a configuration names none, and one that everybody has (RFC 6407 §6.1).
var DefaultKEK = KEKTransform{Cipher: KEKAES, KeyBits: 128}

// Check says why the cipher cannot be used: an unknown one, or a wrong length of key.
func (t KEKTransform) Check() error {
	c, known := t.Cipher.Form()
	switch {
	case !known:
		return fmt.Errorf("unknown KEK cipher %d", t.Cipher)
	case !slices.Contains(c.KeyBits, t.KeyBits):
		return fmt.Errorf("KEK cipher %d with a key of %d bits", t.Cipher, t.KeyBits)
	}
	return nil
}
