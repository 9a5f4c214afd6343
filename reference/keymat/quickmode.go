package keymat

// QuickMode are n octets of the keys of one SA of Quick Mode without perfect forward secrecy: KEYMAT, as long as need be
// made of K1 | K2 | ... (RFC 2409 §5.5). Each direction has keys of its own, by the SPI that its receiver chose.
func QuickMode(h Hash, skeyidD []byte, protocol uint8, spi [4]byte, ni, nr []byte, n int) []byte {
	var keys, last []byte
	for len(keys) < n {
		last = h.PRF(skeyidD, last, []byte{protocol}, spi[:], ni, nr)
		keys = append(keys, last...)
	}
	return keys[:n]
}
