package keymat

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"testing"
	"testing/iotest"
)

// RFC 3526 §3.
const prime2048 = `
FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B
E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510
15728E5A 8AACAA68 FFFFFFFF FFFFFFFF`

func group14(t testing.TB) Group {
	t.Helper()
	g, ok := DHGroup(14)
	if !ok {
		t.Fatal("no group 14")
	}
	return g
}

func newKey(t testing.TB, rand io.Reader) PrivateKey {
	t.Helper()
	k, err := group14(t).NewKey(rand)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPrime(t *testing.T) {
	equal(t, "MODP 2048", modpPrime(2048, 124476).Bytes(), prime2048)
	// RFC 2409 §6.1: the formula holds for a group of another size.
	equal(t, "MODP 768", modpPrime(768, 149686).Bytes(), `
		FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
		EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A63A3620 FFFFFFFF FFFFFFFF`)
}

func TestPrimeIsSafe(t *testing.T) {
	p := modpPrime(2048, 124476)
	half := new(big.Int).Rsh(p, 1)
	if !p.ProbablyPrime(1) || !half.ProbablyPrime(1) {
		t.Error("p or (p-1)/2 is not prime")
	}
}

func TestGroupTable(t *testing.T) {
	for id := range groups {
		g, ok := DHGroup(id)
		if !ok || g.ID() != id {
			t.Errorf("group %d calls itself %d", id, g.ID())
		}
		if again, _ := DHGroup(id); again != g {
			t.Errorf("group %d was made twice", id)
		}
	}
	if g, ok := DHGroup(0); ok || g != nil {
		t.Error("there is a group 0")
	}
	if n := group14(t).PublicLen(); n != 256 {
		t.Errorf("public values have %d octets", n)
	}
}

// The expected digests of these values come from Python's pow.
func TestDiffieHellmanGolden(t *testing.T) {
	a, b := newKey(t, bytes.NewReader(from(0x00, 32))), newKey(t, bytes.NewReader(from(0x80, 32)))
	equal(t, "SHA-256 of g^x", SHA256.Sum(a.Public()), "d43451b651d55795ff86ec96d6451fb4fbd0e7d5acc2bb254f51d3f10dffc346")
	equal(t, "SHA-256 of g^y", SHA256.Sum(b.Public()), "8492c0e8cc346437666258b41706e081881b75d3bf3e1aeef83d04bbdb887f88")
	for _, c := range []struct {
		mine  PrivateKey
		yours []byte
	}{{a, b.Public()}, {b, a.Public()}} {
		shared, err := c.mine.Shared(c.yours)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "SHA-256 of g^xy", SHA256.Sum(shared), "554c8b288a070827f9d9acba8bd5c097bba7ece4006658814ddbbfa7c4ae3b66")
	}
}

// With math/big as the second opinion.
func TestSharedAgainstBig(t *testing.T) {
	p, rand := modpPrime(2048, 124476), Seeded("modp")
	for range 8 {
		x, y := make([]byte, 32), make([]byte, 256)
		io.ReadFull(rand, x)
		io.ReadFull(rand, y)
		y[0] &= 0x7f
		got, err := newKey(t, bytes.NewReader(x)).Shared(y)
		if err != nil {
			t.Fatal(err)
		}
		want := new(big.Int).Exp(new(big.Int).SetBytes(y), new(big.Int).SetBytes(x), p)
		if !bytes.Equal(got, want.FillBytes(make([]byte, 256))) {
			t.Errorf("%x ^ %x", y, x)
		}
	}
}

// Values below 2^2040 keep the full length (RFC 2409 §5).
func TestLeadingZeros(t *testing.T) {
	exponent := func(above uint64) []byte { // 2^200 + above
		e := new(big.Int).Lsh(big.NewInt(1), 200)
		return e.Add(e, new(big.Int).SetUint64(above)).FillBytes(make([]byte, 32))
	}
	k := newKey(t, bytes.NewReader(exponent(1176)))
	if len(k.Public()) != 256 || k.Public()[0] != 0 {
		t.Errorf("public value of %d octets begins with %x", len(k.Public()), k.Public()[0])
	}
	small := big.NewInt(94).FillBytes(make([]byte, 32))
	shared, err := newKey(t, bytes.NewReader(small)).Shared(newKey(t, bytes.NewReader(from(0, 32))).Public())
	if err != nil || len(shared) != 256 || shared[0] != 0 {
		t.Errorf("shared value of %d octets, %v", len(shared), err)
	}
}

func TestSharedRefuses(t *testing.T) {
	k, p := newKey(t, Seeded("refuse")), modpPrime(2048, 124476)
	value := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 256)) }
	plus := func(n int64) *big.Int { return new(big.Int).Add(p, big.NewInt(n)) }
	for name, peer := range map[string][]byte{
		"0": value(big.NewInt(0)), "1": value(big.NewInt(1)),
		"p-1": value(plus(-1)), "p": value(p), "p+1": value(plus(1)), "all ones": bytes.Repeat([]byte{0xff}, 256),
		"empty": nil, "short": make([]byte, 255), "long": append([]byte{0}, value(big.NewInt(4))...),
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
	public := k.Public()
	for n := range public {
		if _, err := k.Shared(public[:n]); !errors.Is(err, ErrPublicValue) {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
}

func TestNewKeyNeedsRandomness(t *testing.T) {
	for name, rand := range map[string]io.Reader{
		"empty": bytes.NewReader(nil), "short": bytes.NewReader(make([]byte, 31)),
		"zeros": bytes.NewReader(make([]byte, 32)), "broken": iotest.ErrReader(io.ErrClosedPipe),
	} {
		if k, err := group14(t).NewKey(rand); !errors.Is(err, ErrRandom) || k != nil {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
}

func TestPublicIsACopy(t *testing.T) {
	k := newKey(t, Seeded("copy"))
	before := k.Public()
	clear(k.Public())
	if !bytes.Equal(k.Public(), before) {
		t.Error("the key was altered through Public")
	}
}

func FuzzShared(f *testing.F) {
	k := newKey(f, Seeded("fuzz"))
	f.Add(k.Public())
	f.Add(make([]byte, 256))
	f.Fuzz(func(t *testing.T, peer []byte) {
		shared, err := k.Shared(peer)
		if err == nil && len(shared) != 256 || err != nil && !errors.Is(err, ErrPublicValue) {
			t.Errorf("%d octets, %v", len(shared), err)
		}
	})
}
