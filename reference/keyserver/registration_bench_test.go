package keyserver_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// BenchmarkRegistration is what one registration costs a key server: Main Mode in group 14 and one PULL, its own side alone. The
// ratio is that to the Diffie-Hellman work in it, one public value and one secret, by the fastest implementation at hand in the
// same run. Of both the shortest time counts, since others use the processor too.
func BenchmarkRegistration(b *testing.B) {
	l := newLab(b, configuration(func(c *policy.KeyServer) {
		c.Groups[0].SIDBits = 16
		c.Phase1.Proposals = []policy.Proposal{policy.DefaultProposal}
	}), nil)
	l.member(1).phase1().register() // makes the tables of the group
	least, bare := time.Hour, time.Hour
	for b.Loop() {
		l.now = l.now.Add(time.Millisecond) // from which a member takes its randomness
		l.spent = 0
		l.member(1).phase1().register()
		least, bare = min(least, l.spent), min(bare, fastest(b))
		l.logs, l.secrets = nil, nil
	}
	b.ReportMetric(float64(least), "ns/registration")
	b.ReportMetric(float64(least)/float64(bare), "x-bare-dh")
}

// fastest is the time of one public value and one secret in group 14, by keymat or by math/big.
func fastest(tb testing.TB) time.Duration {
	group, _ := keymat.DHGroup(uint16(policy.MODP2048))
	rand := keymat.Seeded("bare")
	other, err := group.NewKey(rand)
	if err != nil {
		tb.Fatal(err)
	}
	peer := other.Public()
	began := time.Now()
	key, err := group.NewKey(rand)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := key.Shared(peer); err != nil {
		tb.Fatal(err)
	}
	ours := time.Since(began)

	modulus := new(big.Int).Lsh(big.NewInt(1), 2048) // any odd number of that length costs the same
	modulus.Sub(modulus, big.NewInt(1942289))
	x, y := new(big.Int).SetBytes(peer[:28]), new(big.Int).SetBytes(peer)
	began = time.Now()
	new(big.Int).Exp(big.NewInt(2), x, modulus)
	new(big.Int).Exp(y, x, modulus)
	return min(ours, time.Since(began))
}
