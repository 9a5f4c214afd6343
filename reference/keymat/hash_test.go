package keymat

import (
	"bytes"
	"fmt"
	"testing"
)

// RFC 2202 §2 and §3, RFC 4231 §4.2 to §4.8. Case 5 is published cut short; the keys of cases 6 and 7 are longer than a block.
func TestPRFVectors(t *testing.T) {
	fill := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	const longKey = "Test Using Larger Than Block-Size Key - Hash Key First"
	for _, c := range []struct {
		hash Hash
		key  []byte
		data string
		want string
	}{
		{MD5, fill(0x0b, 16), "Hi There", "9294727a3638bb1c13f48ef8158bfc9d"},
		{MD5, []byte("Jefe"), "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"},
		{MD5, fill(0xaa, 16), string(fill(0xdd, 50)), "56be34521d144c88dbb8c733f0e8b3f6"},
		{MD5, from(1, 25), string(fill(0xcd, 50)), "697eaf0aca3a3aea3a75164746ffaa79"},
		{MD5, fill(0xaa, 80), longKey, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
		{SHA1, fill(0x0b, 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
		{SHA1, []byte("Jefe"), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
		{SHA1, fill(0xaa, 20), string(fill(0xdd, 50)), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
		{SHA1, from(1, 25), string(fill(0xcd, 50)), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
		{SHA1, fill(0xaa, 80), longKey, "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
		{SHA256, fill(0x0b, 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{SHA256, []byte("Jefe"), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{SHA256, fill(0xaa, 20), string(fill(0xdd, 50)), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{SHA256, from(1, 25), string(fill(0xcd, 50)), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{SHA256, fill(0x0c, 20), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"},
		{SHA256, fill(0xaa, 131), longKey, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{SHA256, fill(0xaa, 131), "This is a test using a larger than block-size key and a larger than block-size data. " +
			"The key needs to be hashed before being used by the HMAC algorithm.",
			"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
		{SHA384, fill(0x0b, 20), "Hi There",
			"afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"},
		{SHA384, []byte("Jefe"), "what do ya want for nothing?",
			"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
		{SHA384, fill(0xaa, 20), string(fill(0xdd, 50)),
			"88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27"},
		{SHA384, from(1, 25), string(fill(0xcd, 50)),
			"3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb"},
		{SHA384, fill(0xaa, 131), longKey,
			"4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952"},
		{SHA512, fill(0x0b, 20), "Hi There", "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde" +
			"daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
		{SHA512, []byte("Jefe"), "what do ya want for nothing?", "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
			"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{SHA512, fill(0xaa, 20), string(fill(0xdd, 50)), "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39" +
			"bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
		{SHA512, from(1, 25), string(fill(0xcd, 50)), "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db" +
			"a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
		{SHA512, fill(0xaa, 131), longKey, "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352" +
			"6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
	} {
		data := []byte(c.data)
		whole := c.hash.PRF(c.key, data)
		equal(t, fmt.Sprintf("PRF of %s with a key of %d octets over %q", c.hash, len(c.key), c.data), whole[:len(c.want)/2], c.want)
		if parts := c.hash.PRF(c.key, data[:3], nil, data[3:]); !bytes.Equal(parts, whole) {
			t.Errorf("in parts %x, whole %x", parts, whole)
		}
	}
}

// RFC 1321 appendix A.5 and FIPS 180-4, examples of one block.
func TestSumVectors(t *testing.T) {
	equal(t, "SHA-256", SHA256.Sum([]byte("a"), []byte("bc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	equal(t, "SHA-1", SHA1.Sum([]byte("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d")
	equal(t, "MD5", MD5.Sum([]byte("abc")), "900150983cd24fb0d6963f7d28e17f72")
	equal(t, "SHA-384", SHA384.Sum([]byte("abc")), "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7")
	equal(t, "SHA-512", SHA512.Sum([]byte("abc")), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"+
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
}

func TestHashTable(t *testing.T) {
	for h := range hashes {
		if !h.Known() || h.Size() != len(h.Sum()) || h.Size() != len(h.PRF(nil)) {
			t.Errorf("%v: size %d does not fit", h, h.Size())
		}
		if found, ok := HashOfSize(h.Size()); !ok || found != h {
			t.Errorf("%v: found as %v by its size", h, found)
		}
	}
	if h, ok := HashOfSize(24); ok {
		t.Errorf("%v has 24 octets", h)
	}
	if Hash(3).Known() || Hash(3).String() != "hash(3)" || SHA256.String() != "SHA2-256" {
		t.Error("names of hashes")
	}
}

func TestUnknownHashPanics(t *testing.T) {
	for name, use := range map[string]func(){
		"Sum":  func() { Hash(3).Sum() },
		"PRF":  func() { Hash(3).PRF(nil) },
		"Size": func() { Hash(3).Size() },
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
