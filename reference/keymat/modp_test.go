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
	{1, 768, 149686, 28, "a63a3620ffffffffffffffff",
		"b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d",
		"ebb30c27f9c5fef0209ce9215f83b5db947ba128331ecf91a039902d68f47140",
		"f2b7a355c1fdcb8d3822db0ed1a1156ffc7d17e3c3917acd7fd9acced97a76c7",
		"3b038987eeabdf9d260187ed6bd5ec802045ea88e3d61cc9571a2e2388491356"},
	{2, 1024, 129093, 28, "ece65381ffffffffffffffff",
		"3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0",
		"8e05a3c3437766a0c103321a949b1a02a428c4480a8110aea72898bf0341ba1b",
		"d90bd46e381299aae551faa1dd77302b4d32939cea20220d887183bc49f0b905",
		"6208f780ccdb018bc696c1063d3d1d84dd7dfdad8f0657aa18eb619351d75c3d"},
	{5, 1536, 741804, 28, "ca237327ffffffffffffffff",
		"64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b",
		"5ab711c35261920cce0500fb313e77f67d322ca2f5e68699d6cc7919eba0ec94",
		"dc418b2d74eff03af2b46bb8d7d5853042e3f3dcce249f4526aeb665b6f3b009",
		"408a7bc347182dc8826e8ddca9e037e359598675312a0ad69039b505385bd15e"},
	{14, 2048, 124476, 28, "8aacaa68ffffffffffffffff",
		"d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e",
		"d5a20b9b2f1c6821d5c1ac90f68258281046393e66a0c418da0381144fa25351",
		"011078349d36ee36ccc58ec59da9df54bd801cf4370c2d454287a0ee4f18a933",
		"9a6d24f6ba96cc23cd23d87be8fd4a5a9b1c8c1890957c678281157fc6a64240"},
	{15, 3072, 1690314, 33, "a93ad2caffffffffffffffff",
		"48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c",
		"b74e630be90eb9d4b19affaa173864f62b7b5408127da1bbe6614ff3b3d96c4d",
		"1e9054210df0541090f739fc968e436f94d43c26e62d20c1da02d5cf2f179b14",
		"eb28cf2fcc2038d01008fcbabc1134f35667fc2f80fc275ac50e6291e6d19efc"},
	{16, 4096, 240904, 38, "34063199ffffffffffffffff",
		"4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33",
		"5455dc683d36f531dddd7ebcdf18a2931c5d2ba41a46a79d56e8e1dd1ffc158e",
		"1a9669b18852b04e948a2c65d038f1004eb139df0f023991b2844481cfb1ee3b",
		"2ab72ddeb7081deaf387c8b0db25560085788944bf5cd6e890a099fd9d716a1f"},
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
		return e.Add(e, new(big.Int).SetUint64(above)).FillBytes(make([]byte, 28))
	}
	k := keyOf(t, 14, bytes.NewReader(exponent(1176)))
	if len(k.Public()) != 256 || k.Public()[0] != 0 {
		t.Errorf("public value of %d octets begins with %x", len(k.Public()), k.Public()[0])
	}
	small := big.NewInt(237).FillBytes(make([]byte, 28))
	shared, err := keyOf(t, 14, bytes.NewReader(small)).Shared(keyOf(t, 14, bytes.NewReader(from(0, 28))).Public())
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
