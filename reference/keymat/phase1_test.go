package keymat

import (
	"bytes"
	"slices"
	"testing"
)

// The toy exchange of the worked values: made by another implementation, with values far shorter than real ones.
var (
	toyCI = [8]byte(bytes.Repeat([]byte{0x11}, 8))
	toyCR = [8]byte(bytes.Repeat([]byte{0x22}, 8))
	toyNi = from(0x00, 16)
	toyNr = from(0x10, 16)
	toyXI = bytes.Repeat([]byte{0xa1}, 32)
	toyXR = bytes.Repeat([]byte{0xb2}, 32)
	toyXY = bytes.Repeat([]byte{0xc3}, 32)
)

const (
	toySA = "0000003800000002000000000000002c01010001000000240101000080010007800e010080020004800300018004000e800b0001800c7080"
	toyID = "01000000c0000201" // IPv4 address 192.0.2.1
)

func toyKeys() Phase1Keys {
	return DerivePSK(Phase1Input{
		Hash: SHA256, PSK: []byte("gdoi-psk"), Ni: toyNi, Nr: toyNr, Shared: toyXY, CookieI: toyCI, CookieR: toyCR,
	})
}

func TestDerivePSK(t *testing.T) {
	k := toyKeys()
	equal(t, "SKEYID", k.SKEYID, "56d2d611838d3e5b3f5a8f205893a2ad981df13b2537f9bcf1bbd27b1cb5522a")
	equal(t, "SKEYID_d", k.D, "c9d970c6e9c6d124b8400de9211285e9fabb6457c0c948590428a2fc0e6e990b")
	equal(t, "SKEYID_a", k.A, "8ce7a1ff1597c41b73b7bcfc2b20c35f24dfa9778146af6b9753a946d0015605")
	equal(t, "SKEYID_e", k.E, "9c69f4e7f096dd355a5dc19f5762f4d796bf28f5cd360495ce2fd76d24d24fe7")
}

// SKEYID of signature authentication is a PRF keyed by both nonces (RFC 2409 §5).
func TestSignatureSKEYID(t *testing.T) {
	equal(t, "SKEYID", SHA256.PRF(slices.Concat(toyNi, toyNr), toyXY), "f2655e0beb3e7887b01e110fea19e6188b2b74e695941866d7a42cbcfb55e000")
}

func TestHashIAndHashR(t *testing.T) {
	k, sa, id := toyKeys(), unhex(t, toySA)[4:], unhex(t, toyID)
	equal(t, "HASH_I", HashI(SHA256, k.SKEYID, toyXI, toyXR, toyCI, toyCR, sa, id), "472e4bfd5ec5055118ac7f0648e4182c16ea8e0026c4a987a761a3562ef38207")

	r := HashR(SHA256, k.SKEYID, toyXI, toyXR, toyCI, toyCR, sa, id)
	mirrored := HashI(SHA256, k.SKEYID, toyXR, toyXI, toyCR, toyCI, sa, id)
	if !bytes.Equal(r, mirrored) || bytes.Equal(r, HashI(SHA256, k.SKEYID, toyXI, toyXR, toyCI, toyCR, sa, id)) {
		t.Errorf("HASH_R = %x, want HASH_I with sides swapped, %x", r, mirrored)
	}
}

func TestIVs(t *testing.T) {
	equal(t, "first IV", FirstIV(SHA256, toyXI, toyXR, BlockSize), "d8377945f0e5fb139731eb0178caab8f")
	last := unhex(t, "f0e0d0c0b0a09080706050403020100f")
	equal(t, "IV of a PULL", PhaseTwoIV(SHA256, last, 0x01020304), "9298874f877ec0cf185f14b4288f2c5c")
	equal(t, "first IV of 3DES", FirstIV(SHA256, toyXI, toyXR, TripleDES.BlockSize()), "d8377945f0e5fb13")
	if iv := PhaseTwoIV(MD5, last[8:], 0x01020304); len(iv) != TripleDES.BlockSize() {
		t.Errorf("the IV of a PULL under 3DES has %d octets", len(iv))
	}
}

func TestCipherKey(t *testing.T) {
	equal(t, "AES-256 from SHA-1", CipherKey(SHA1, from(0, 20), 32), "1e5fd6a5cbc98bd4c1fe20d5e5fb2ed1df330c93a33c043ca850a65fd7aeae17")
	equal(t, "AES-128 from SHA-1", CipherKey(SHA1, from(0, 20), 16), "000102030405060708090a0b0c0d0e0f")
	equal(t, "just long enough", CipherKey(SHA1, from(0, 20), 20), "000102030405060708090a0b0c0d0e0f10111213")

	equal(t, "3DES from SHA-1", CipherKey(SHA1, from(0, 20), 24), "1e5fd6a5cbc98bd4c1fe20d5e5fb2ed1df330c93a33c043c")
	equal(t, "3DES from MD5", CipherKey(MD5, from(0, 16), 24), "5d76401b50b90caee409473960c04a9614b5f3b70b892097")
	equal(t, "AES-256 from MD5", CipherKey(MD5, from(0, 16), 32), "5d76401b50b90caee409473960c04a9614b5f3b70b892097525b06f252c61fbe")

	long := CipherKey(SHA1, from(0, 20), 21)
	equal(t, "one octet more", long, "1e5fd6a5cbc98bd4c1fe20d5e5fb2ed1df330c93a3")

	secret := from(0, 32)
	CipherKey(SHA256, secret, 16)[0] = 0xff
	if secret[0] != 0 {
		t.Error("the cipher key shares memory with SKEYID_e")
	}
}

// The HASH payloads of a GROUPKEY-PULL are PRFs keyed by SKEYID_a (RFC 6407 §3.2).
func TestPullHashes(t *testing.T) {
	const (
		mid   = "01020304"
		ni    = "05000014 000102030405060708090a0b0c0d0e0f"
		id    = "0000000c 0b000000 000004d2"
		nr    = "01000014 101112131415161718191a1b1c1d1e1f"
		saHdr = "000000a00000000200000000000f0000"
		sak   = "160000451101035004c000020a01035004ef010101c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d70000000080020003800300800004000400015180800500038006000180070800"
		gap   = "1000000c800100058002000a"
		sat   = "0000003f0100040000080a000000ff000000040000080a000000ff000000149abcdef0800100010002000400000e108004000180060100800e0004800f0003"
		ask   = "0000000880030002"
		seq   = "1100000800000000"
		kd    = "00000083000300000200003910c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d700010020404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f01000031049abcdef000010024606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182830400001100800100080002000400000005"
	)
	niBody, nrBody := toyNi, toyNr
	a := toyKeys().A
	for name, c := range map[string]struct {
		parts [][]byte
		want  string
	}{
		"HASH(1)":          {[][]byte{unhex(t, ni), unhex(t, id)}, "b7d06d0b7f469764d7f94e53a251f94ee8c1e5ef3a4e51c9800f79585c5d6476"},
		"HASH(2)":          {[][]byte{niBody, unhex(t, nr), unhex(t, saHdr+sak+gap+sat)}, "37468bc7ae9e15fd96d39ce9af03db6dcdef05a7c9fc3f773de338d39f896932"},
		"HASH(3) with GAP": {[][]byte{niBody, nrBody, unhex(t, ask)}, "c054802045bd7c4b0ebd7abd0002a8a86ac161f97571c85738a87b4398696113"},
		"HASH(3)":          {[][]byte{niBody, nrBody}, "3acd80e2647723e6842ab99f70c1dabfb4cc29e04063a49f448a6e8c16238417"},
		"HASH(4)":          {[][]byte{niBody, nrBody, unhex(t, seq+kd)}, "0724f9e8457f0c8dee10872bc6126134f7bd30eb62432985fef691fb8a9d9c39"},
	} {
		equal(t, name, SHA256.PRF(a, append([][]byte{unhex(t, mid)}, c.parts...)...), c.want)
	}
}

// NAT-D is a plain hash (RFC 3947 §3.2).
func TestNATDetection(t *testing.T) {
	address := unhex(t, "c000020a 0350") // 192.0.2.10, port 848
	equal(t, "NAT-D", SHA256.Sum(toyCI[:], toyCR[:], address), "4855e3a992452f55ea33142336ebd6d47d0b1180ef44b8484a53e8b7620af5fd")
}
