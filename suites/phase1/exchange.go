package phase1

import (
	"bytes"
	"encoding/hex"
	"slices"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What group 14 works with: octets of a public value, and values that lie outside of it or give the secret away.
const publicLen = 256

var (
	zero     = make([]byte, publicLen)
	one      = append(make([]byte, publicLen-1), 1)
	two      = append(make([]byte, publicLen-1), 2) // the generator itself
	prime    = modp2048()
	belowIt  = append(slices.Clone(prime[:publicLen-1]), prime[publicLen-1]-1) // the prime is odd
	allOnes  = bytes.Repeat([]byte{0xff}, publicLen)                           // above the prime
	sixteen  = bytes.Repeat([]byte{0x5a}, 16)
	someHash = isakmp.Hash{Data: make([]byte, 32)}
)

// modp2048 is the prime of group 14 (RFC 3526 §3).
func modp2048() []byte {
	p, err := hex.DecodeString("" +
		"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b" +
		"302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe6" +
		"49286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d" +
		"670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718" +
		"3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff")
	if err != nil {
		panic(err)
	}
	return p
}

// brokenKeyExchange are the wrongs of messages 3 and 4.
func brokenKeyExchange(kind core.Kind) []row {
	return []row{
		{"RFC2409-5-05", tester.PublicValueLength(kind, publicLen-1)},
		{"RFC2409-5-05", tester.PublicValueLength(kind, publicLen+1)},
		{"RFC2409-5-05", tester.PublicValue(kind, "the public value 0", zero)},
		{"RFC2409-5-05", tester.PublicValue(kind, "the public value 1", one)},
		{"RFC2409-5-05", tester.PublicValue(kind, "a public value one below the prime, which gives the secret away", belowIt)},
		{"RFC2409-5-05", tester.PublicValue(kind, "the prime as its public value", prime)},
		{"RFC2409-5-05", tester.PublicValue(kind, "a public value above the prime", allOnes)},
		{"RFC2409-5-05", tester.Omit(kind, isakmp.PayloadKE, "RFC 2409 §5.4")},
		{"RFC2409-5-06", tester.NonceLength(kind, 7)},
		{"RFC2409-5-06", tester.NonceLength(kind, 257)},
		{"RFC2409-5-06", tester.Omit(kind, isakmp.PayloadNonce, "RFC 2409 §5.4")},
		{"RFC2409-5-07", tester.Repeat(kind, isakmp.PayloadKE, "RFC 2409 §5.4")},
		{"RFC2409-5-07", tester.Repeat(kind, isakmp.PayloadNonce, "RFC 2409 §5.4")},
		{"RFC2408-5.2-02", tester.Behind(kind, "a HASH payload", "RFC 2409 §5.4", someHash)},
		{"RFC2409-5-03", tester.Exchange(kind, isakmp.ExchangeAggressive)},
		{"RFC2408-5.2-06", tester.MessageID(kind, 1)},
		{"RFC2408-5.2-05", tester.Flags(kind, isakmp.FlagEncryption)},
		{"RFC2408-5.1-01", tester.Length(kind, 1)},
	}
}

// unusualKeyExchange are messages 3 and 4 that are right all the same.
func unusualKeyExchange(kind core.Kind) []row {
	return []row{
		{"RFC2409-5-05", tester.PublicValue(kind, "a public value that begins with 255 zeros", two)},
		{"RFC2409-5-06", tester.NonceLength(kind, 8)},
		{"RFC2409-5-06", tester.NonceLength(kind, 256)},
		{"RFC2409-5-14", tester.Behind(kind, "a certificate request", "RFC 2409 §5",
			isakmp.Raw{PayloadType: isakmp.PayloadCR, Body: []byte{4}})},
	}
}

// brokenProof are the wrongs of messages 5 and 6.
func brokenProof(kind core.Kind) []row {
	return []row{
		{"RFC2408-3.1-04", tester.InClear(kind)},
		{"RFC2409-B-05", tester.Trailing(kind, "a part of a block behind it", []byte{1, 2, 3, 4})},
		{"RFC2408-5.2-02", tester.Trailing(kind, "a block of anything behind it", sixteen)},
		{"RFC2408-5.2-02", tester.Behind(kind, "an SA payload", "RFC 2409 §5.4", isakmp.SA{DOI: 2})},
		{"RFC2409-5-07", tester.Repeat(kind, isakmp.PayloadID, "RFC 2409 §5.4")},
		{"RFC2408-5.11-01", tester.WrongHash(kind)},
		{"RFC2408-5.11-01", tester.HashLength(kind, 16)},
		{"RFC2408-5.11-01", tester.HashLength(kind, 0)},
		{"RFC2408-5.11-01", tester.FlipOctet(kind, -1)},
		{"RFC2408-5.11-01", tester.SwapIdentity(kind)},
		{"RFC2408-5.8-01", tester.Identity(kind, "an identity of type 0", func(id *isakmp.ID) { id.IDType = 0 })},
		{"RFC2408-5.8-01", tester.Identity(kind, "an identity of type 200", func(id *isakmp.ID) { id.IDType = 200 })},
		{"RFC2408-5.8-01", tester.Identity(kind, "a subnet as its identity", func(id *isakmp.ID) {
			id.IDType, id.Data = isakmp.IDIPv4AddrSubnet, append(id.Data[:4:4], 255, 255, 255, 255)
		})},
		{"RFC2408-5.8-01", tester.Identity(kind, "an address of 5 octets", func(id *isakmp.ID) { id.Data = append(id.Data[:4:4], 0) })},
		{"RFC2407-4.6.2-01", tester.Identity(kind, "TCP and port 22 in its identity", func(id *isakmp.ID) { id.Protocol, id.Port = 6, 22 })},
		{"RFC2407-4.6.2-01", tester.Identity(kind, "UDP and port 1234 in its identity", func(id *isakmp.ID) { id.Protocol, id.Port = 17, 1234 })},
		{"RFC2408-5.3-01", tester.Reserved(kind, isakmp.PayloadID, 1)},
		{"RFC2408-5.2-05", tester.SentHeader(kind, "a flag that has no meaning", "RFC 2408 §3.1", func(h *isakmp.Header) { h.Flags |= 0x80 })},
	}
}

// unusualProof are messages 5 and 6 that are right all the same.
func unusualProof(kind core.Kind) []row {
	return []row{
		{"RFC2407-4.6.2-01", tester.Identity(kind, "UDP and port 848 in its identity", func(id *isakmp.ID) { id.Protocol, id.Port = 17, 848 })},
		{"RFC2407-4.6.2-01", tester.Identity(kind, "UDP and port 500 in its identity", func(id *isakmp.ID) { id.Protocol, id.Port = 17, 500 })},
		{"RFC2407-4.6.3-01", tester.Behind(kind, "INITIAL-CONTACT under encryption", "RFC 2407 §4.6.3", notified)},
	}
}

// changedOffer changes message 1 on its way, in a place that decides nothing. Only a HASH over the whole SA body shows it
// (RFC 2409 §5).
func changedOffer(kind core.Kind) tester.Deviation {
	const transformNumber = isakmp.HeaderLen + isakmp.GenericLen + 8 + 8 + isakmp.GenericLen
	d := tester.FlipOctet(kind, transformNumber)
	d.Name, d.Section = "MM5 after the offer was changed on its way", "RFC 2409 §5"
	return d
}

// commits are messages with the Commit flag, which is no wrong one (RFC 2408 §3.1) though GDOI has no use for it.
func commits(kinds ...core.Kind) (rows []row) {
	for _, kind := range kinds {
		rows = append(rows, row{"RFC2408-5.2-05", commit(kind)})
	}
	return rows
}

// commit sets the Commit flag, which has no function in GDOI (RFC 6407 §3.2.1).
func commit(kind core.Kind) tester.Deviation {
	return tester.SentHeader(kind, "the Commit flag", "RFC 6407 §3.2.1", func(h *isakmp.Header) { h.Flags |= isakmp.FlagCommit })
}
