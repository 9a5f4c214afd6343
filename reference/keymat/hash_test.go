package keymat

import (
	"bytes"
	"testing"
)

// RFC 4231 §4.2 to §4.8.
func TestPRFVectors(t *testing.T) {
	fill := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	for name, c := range map[string]struct {
		key, data []byte
		want      string
	}{
		"case 1": {fill(0x0b, 20), []byte("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		"case 2": {[]byte("Jefe"), []byte("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		"case 3": {fill(0xaa, 20), fill(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		"case 4": {from(1, 25), fill(0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		"case 5": {fill(0x0c, 20), []byte("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"}, // only 128 bits are published
		"case 6": {fill(0xaa, 131), []byte("Test Using Larger Than Block-Size Key - Hash Key First"), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		"case 7": {fill(0xaa, 131), []byte("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	} {
		t.Run(name, func(t *testing.T) {
			whole := SHA256.PRF(c.key, c.data)
			equal(t, "PRF", whole[:len(c.want)/2], c.want)
			if parts := SHA256.PRF(c.key, c.data[:3], nil, c.data[3:]); !bytes.Equal(parts, whole) {
				t.Errorf("in parts %x, whole %x", parts, whole)
			}
		})
	}
}

// FIPS 180-4, examples of one block.
func TestSumVectors(t *testing.T) {
	equal(t, "SHA-256", SHA256.Sum([]byte("a"), []byte("bc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	equal(t, "SHA-1", SHA1.Sum([]byte("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d")
}

func TestHashTable(t *testing.T) {
	for h := range hashes {
		if !h.Known() || h.Size() != len(h.Sum()) || h.Size() != len(h.PRF(nil)) {
			t.Errorf("%v: size %d does not fit", h, h.Size())
		}
	}
	if Hash(1).Known() || Hash(1).String() != "hash(1)" || SHA256.String() != "SHA2-256" {
		t.Error("names of hashes")
	}
}

func TestUnknownHashPanics(t *testing.T) {
	for name, use := range map[string]func(){
		"Sum":  func() { Hash(1).Sum() },
		"PRF":  func() { Hash(1).PRF(nil) },
		"Size": func() { Hash(1).Size() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of an unknown hash returned", name)
				}
			}()
			use()
		}()
	}
}
