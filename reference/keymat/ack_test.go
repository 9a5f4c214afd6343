package keymat

import "testing"

func TestAcknowledgement(t *testing.T) {
	spi := [16]byte(unhex(t, "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"))
	base := from(0x50, 16)
	seq := unhex(t, "0500000800000001")
	id := unhex(t, "0000000c01000000c0000201")
	for _, c := range []struct {
		bits      uint16
		key, hash string
	}{
		{512, "ef5008116c2bd4ee0612485122a78bdea45d825c972f807c54e4c610e6b6aeff", "a92a8ea5a46b8ea8cba16d45bc905c7d49dfa43645c60122243da8bd5d001448"},
		{256, "a00ae2deedf42425202a4d5233a3c9d4b55ec6f629425ba0c158ea3f1932d3ab", "d23f95833a48474e52b5021dad383095c07e376323ff8b47d62174867ee48372"},
		{128, "e5e7c7e09783ce90f2050511602b24022f03a64e456805628f90bc386adb5687", "47b171a1a78c4b441a286411cbb23cd9c612c2049c4f527a90cc93ca955e092f"},
	} {
		key := ackKey(base, spi, c.bits)
		equal(t, "ack_key", key, c.key)
		equal(t, "HASH", AckHash(key, seq, id), c.hash)
	}
	equal(t, "the key in use", AckKey(base, spi), "ef5008116c2bd4ee0612485122a78bdea45d825c972f807c54e4c610e6b6aeff")
}
