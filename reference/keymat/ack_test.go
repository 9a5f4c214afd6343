package keymat

import (
	"crypto"
	"testing"
)

// The values with SHA-256 are those of the worked example; those with SHA-512 were made by OpenSSL from the same inputs:
//
//	openssl dgst -sha512 -mac HMAC -macopt hexkey:KEY FILE
func TestAcknowledgement(t *testing.T) {
	spi := [16]byte(unhex(t, "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"))
	base := from(0x50, 16)
	seq := unhex(t, "0500000800000001")
	id := unhex(t, "0000000c01000000c0000201")
	for _, c := range []struct {
		ack       Ack
		key, hash string
	}{
		{AckSHA256, "ef5008116c2bd4ee0612485122a78bdea45d825c972f807c54e4c610e6b6aeff", "a92a8ea5a46b8ea8cba16d45bc905c7d49dfa43645c60122243da8bd5d001448"},
		{Ack{crypto.SHA256, 256}, "a00ae2deedf42425202a4d5233a3c9d4b55ec6f629425ba0c158ea3f1932d3ab", "d23f95833a48474e52b5021dad383095c07e376323ff8b47d62174867ee48372"},
		{Ack{crypto.SHA256, 128}, "e5e7c7e09783ce90f2050511602b24022f03a64e456805628f90bc386adb5687", "47b171a1a78c4b441a286411cbb23cd9c612c2049c4f527a90cc93ca955e092f"},
		{AckSHA512, "cc4cb1b6e7c14437f3bdc1409b761a69621334a694923a0e4e771900578b1fa46ae980bc357819fc60692beec2dbf58f4aecb52d7e7debae2751a82f48215caf",
			"2c08cde029572ee51a0589de5a3d181d9ae697b2b69040dbd6086af7e1c8a6bf5ee2b42261e4e7baeabe9f0511a464e0fcee32e92ece0051b39906b2de9e7a50"},
		{Ack{crypto.SHA512, 512}, "f4e51b8b6d5f64f5606dfd992429bbff854a9928b75a6b693e7a45c0850edda7f87922317193049c057123421275bb9b9474b691e20a6f11375622060a490545",
			"978486ee557cf28e6e512ef8e4a708857cd5cc885c80fd64f6b7d5926314e3a570c226d5045010c84c3dc2cf6d2e9001e991151bd480ff803f41dffe39e4a074"},
	} {
		key := c.ack.Key(base, spi)
		equal(t, "ack_key", key, c.key)
		equal(t, "HASH", c.ack.Hash(key, seq, id), c.hash)
	}
}
