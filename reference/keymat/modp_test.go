package keymat

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"testing"
)

// RFC 3526 §3.
const prime2048 = `
FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B
E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510
15728E5A 8AACAA68 FFFFFFFF FFFFFFFF`

// modpGroups are the rows of the table. The digests of the primes are those of the primes that OpenSSL has under these
// names, and for groups 1 and 2 of the ones in RFC 2409 §6. Those of g^x, g^y and g^xy come from Python's pow, with
// exponents of the group's length that count up from 00 and 80.
var modpGroups = []struct {
	id           uint16
	bits         uint
	c            int64
	private      int
	end          string // of the prime
	prime        string // SHA-256 of it
	gx, gy, both string // SHA-256 of g^x, g^y, g^xy
}{
	{1, 768, 149686, 32, "a63a3620ffffffffffffffff",
		"b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d",
		"2cdb3d3797336e95e0d0784503fa852bbb611c0bb067e821c50e7b33dc3b1d43",
		"614e7af902e156387388535f5f142d6265f4e52f4a1dda7248363d267d6899f6",
		"143fce9e24d47d5896173bd59cbfc3c0467039a5be1e33127bb3a68bdb5bc60c"},
	{2, 1024, 129093, 32, "ece65381ffffffffffffffff",
		"3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0",
		"49b9cbcad78fb3f6ece1e39ddf51384427d7d602373ffbacc9ffa16b3a07dcd6",
		"fe628412d9357eea880369f886ac3c4be8c8af2b7ed75c3fc7c771ff5079c150",
		"494eca23495eddc221e1a60a99a3c5e01cb303e1b45ae4c08d3f243f9302ec76"},
	{5, 1536, 741804, 32, "ca237327ffffffffffffffff",
		"64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b",
		"062bdecff239254003447a47ce8691df32f9407055c5165ce758ca7a8ce1ce3a",
		"116387da656926a6c76c9262d78b845a8a5b4ee9677438c922631dbb502f138c",
		"f94dcc6abe35ceefdf517723e4b057166f3cb5eb804f6184a510659379c79c68"},
	{14, 2048, 124476, 32, "8aacaa68ffffffffffffffff",
		"d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e",
		"d43451b651d55795ff86ec96d6451fb4fbd0e7d5acc2bb254f51d3f10dffc346",
		"8492c0e8cc346437666258b41706e081881b75d3bf3e1aeef83d04bbdb887f88",
		"554c8b288a070827f9d9acba8bd5c097bba7ece4006658814ddbbfa7c4ae3b66"},
	{15, 3072, 1690314, 36, "a93ad2caffffffffffffffff",
		"48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c",
		"eb4d56b88d54ffd80d0223b8d0a5790dbea1804f847e06f18f220d342edb97b5",
		"a1d8aef1cf2fe4f634c9c778522971ace3223fda17ac5f5d2dcbd177ba0bdaa8",
		"bf7a74640c1e0729ac269918e315ab84345ece69de55f6bf884690d584f3f650"},
	{16, 4096, 240904, 40, "34063199ffffffffffffffff",
		"4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33",
		"4a44e0b2085d4efe07cc0ba3e8c6f253ce8b3b3e6cbe862c0727b29b7c5eb720",
		"5c86a72d228d0b1bde328f7d190870f1b1288e7e7c4679434cbd501e3392d95f",
		"b7aec03d9700df14c670262786854541fd11ad75e68ae673802da512c0fa1c61"},
}

func TestPrimes(t *testing.T) {
	equal(t, "MODP 2048", modpPrime(2048, 124476).Bytes(), prime2048)
	for _, g := range modpGroups {
		p := modpPrime(g.bits, g.c).Bytes()
		equal(t, fmt.Sprintf("SHA-256 of the prime of group %d", g.id), SHA256.Sum(p), g.prime)
		equal(t, "the first octets", p[:8], "ffffffffffffffff")
		equal(t, "the last octets", p[len(p)-12:], g.end)
		if made := group(t, g.id).(*modp); !bytes.Equal(made.prime.Nat().Bytes(made.prime), p) || made.powers.octets != g.private {
			t.Errorf("group %d has another prime, or private values of %d octets", g.id, made.powers.octets)
		}
	}
}

func TestPrimesAreSafe(t *testing.T) {
	for _, g := range modpGroups {
		p := modpPrime(g.bits, g.c)
		half := new(big.Int).Rsh(p, 1)
		if !p.ProbablyPrime(1) || !half.ProbablyPrime(1) {
			t.Errorf("group %d: p or (p-1)/2 is not prime", g.id)
		}
	}
}

func TestDiffieHellmanGolden(t *testing.T) {
	for _, g := range modpGroups {
		a := keyOf(t, g.id, bytes.NewReader(from(0x00, g.private)))
		b := keyOf(t, g.id, bytes.NewReader(from(0x80, g.private)))
		equal(t, "SHA-256 of g^x", SHA256.Sum(a.Public()), g.gx)
		equal(t, "SHA-256 of g^y", SHA256.Sum(b.Public()), g.gy)
		for _, c := range []struct {
			mine  PrivateKey
			yours []byte
		}{{a, b.Public()}, {b, a.Public()}} {
			shared, err := c.mine.Shared(c.yours)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "SHA-256 of g^xy", SHA256.Sum(shared), g.both)
		}
	}
}

// With math/big as the second opinion.
func TestSharedAgainstBig(t *testing.T) {
	for _, g := range modpGroups {
		p, rand := modpPrime(g.bits, g.c), Seeded("modp")
		for range 3 {
			x, y := read(t, rand, g.private), read(t, rand, int(g.bits)/8)
			y[0] &= 0x7f
			got, err := keyOf(t, g.id, bytes.NewReader(x)).Shared(y)
			if err != nil {
				t.Fatal(err)
			}
			want := new(big.Int).Exp(new(big.Int).SetBytes(y), new(big.Int).SetBytes(x), p)
			if !bytes.Equal(got, want.FillBytes(make([]byte, len(y)))) {
				t.Errorf("group %d: %x ^ %x", g.id, y, x)
			}
		}
	}
}

// Values below 2^2040 keep the full length (RFC 2409 §5).
func TestLeadingZeros(t *testing.T) {
	exponent := func(above uint64) []byte { // 2^200 + above
		e := new(big.Int).Lsh(big.NewInt(1), 200)
		return e.Add(e, new(big.Int).SetUint64(above)).FillBytes(make([]byte, 32))
	}
	k := keyOf(t, 14, bytes.NewReader(exponent(1176)))
	if len(k.Public()) != 256 || k.Public()[0] != 0 {
		t.Errorf("public value of %d octets begins with %x", len(k.Public()), k.Public()[0])
	}
	small := big.NewInt(94).FillBytes(make([]byte, 32))
	shared, err := keyOf(t, 14, bytes.NewReader(small)).Shared(keyOf(t, 14, bytes.NewReader(from(0, 32))).Public())
	if err != nil || len(shared) != 256 || shared[0] != 0 {
		t.Errorf("shared value of %d octets, %v", len(shared), err)
	}
}

func TestSharedRefuses(t *testing.T) {
	k, p := keyOf(t, 14, Seeded("refuse")), modpPrime(2048, 124476)
	value := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 256)) }
	plus := func(n int64) *big.Int { return new(big.Int).Add(p, big.NewInt(n)) }
	for name, peer := range map[string][]byte{
		"0": value(big.NewInt(0)), "1": value(big.NewInt(1)),
		"p-1": value(plus(-1)), "p": value(p), "p+1": value(plus(1)), "all ones": bytes.Repeat([]byte{0xff}, 256),
	} {
		if shared, err := k.Shared(peer); !errors.Is(err, ErrPublicValue) || shared != nil {
			t.Errorf("%s: %x, %v", name, shared, err)
		}
	}
	for name, peer := range map[string][]byte{"2": value(big.NewInt(2)), "p-2": value(plus(-2))} {
		if _, err := k.Shared(peer); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
