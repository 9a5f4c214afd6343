package keymat

// Phase1Input is what both sides know at the end of the Diffie-Hellman exchange of Phase 1.
type Phase1Input struct {
	Hash
	PSK, Ni, Nr      []byte // pre-shared key; nonce bodies
	Shared           []byte // g^xy in the group's full length
	CookieI, CookieR [8]byte
}

// Phase1Keys are the keys of a Phase 1 SA (RFC 2409 §5). GDOI authenticates with A and encrypts with E.
type Phase1Keys struct {
	SKEYID  []byte
	D, A, E []byte // SKEYID_d, SKEYID_a, SKEYID_e
}

// DerivePSK derives the keys of Phase 1 with a pre-shared key (RFC 2409 §5 and §5.4).
func DerivePSK(in Phase1Input) Phase1Keys {
	return in.derive(in.PRF(in.PSK, in.Ni, in.Nr))
}

func (in Phase1Input) derive(skeyid []byte) Phase1Keys {
	step := func(last []byte, n byte) []byte {
		return in.PRF(skeyid, last, in.Shared, in.CookieI[:], in.CookieR[:], []byte{n})
	}
	k := Phase1Keys{SKEYID: skeyid}
	k.D = step(nil, 0)
	k.A = step(k.D, 1)
	k.E = step(k.A, 2)
	return k
}

// HashI is HASH_I of an initiator: gxi and gxr are KE bodies, saBody is the body of the initiator's SA payload as sent,
// idBody that of its ID payload (RFC 2409 §5).
func HashI(h Hash, skeyid, gxi, gxr []byte, ci, cr [8]byte, saBody, idBody []byte) []byte {
	return h.PRF(skeyid, gxi, gxr, ci[:], cr[:], saBody, idBody)
}

// HashR is HASH_R of a responder. Its arguments have the order of HashI, saBody is the initiator's and idBody the
// responder's; public values and cookies are swapped in here.
func HashR(h Hash, skeyid, gxi, gxr []byte, ci, cr [8]byte, saBody, idBody []byte) []byte {
	return h.PRF(skeyid, gxr, gxi, cr[:], ci[:], saBody, idBody)
}

// CipherKey is the Phase 1 cipher key of n octets: the leftmost of SKEYID_e or, if that is too short, of
// K1 | K2 | ... with K1 = prf(SKEYID_e, 0) and Kn = prf(SKEYID_e, Kn-1) (RFC 2409 appendix B).
func CipherKey(h Hash, skeyidE []byte, n int) []byte {
	if n <= len(skeyidE) {
		return append([]byte(nil), skeyidE[:n]...)
	}
	var key []byte
	for k := []byte{0}; len(key) < n; {
		k = h.PRF(skeyidE, k)
		key = append(key, k...)
	}
	return key[:n]
}

// FirstIV is the IV of the first encrypted message of Phase 1, for a cipher with blocks of that many octets: the leftmost
// octets of hash(g^xi | g^xr) (RFC 2409 appendix B).
func FirstIV(h Hash, gxi, gxr []byte, block int) []byte {
	return leftmost(h.Sum(gxi, gxr), block)
}

// PhaseTwoIV is the IV of the first message of an exchange under Phase 1, such as a GROUPKEY-PULL or an Informational:
// hash(lastBlock | M-ID), as long as lastBlock, the last ciphertext block of Phase 1 (RFC 2409 appendix B).
func PhaseTwoIV(h Hash, lastBlock []byte, messageID uint32) []byte {
	id := [4]byte{byte(messageID >> 24), byte(messageID >> 16), byte(messageID >> 8), byte(messageID)}
	return leftmost(h.Sum(lastBlock, id[:]), len(lastBlock))
}

func leftmost(b []byte, n int) []byte { return b[:min(n, len(b)):min(n, len(b))] }
