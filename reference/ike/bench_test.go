package ike

import (
	"fmt"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Both sides of a whole Phase 1: four exponentiations, or four multiplications of points. The ratio is that to the default
// suite in the same run.
func BenchmarkPhase1(b *testing.B) {
	for _, s := range []Suite{suiteAES, suite3, suiteOf(policy.Phase1AES, 256, policy.Phase1SHA384, policy.ECP384)} {
		b.Run(fmt.Sprintf("%s-%d-%s-group-%d", s.Cipher(), s.KeyBits, s.Hash, s.Group), func(b *testing.B) {
			for b.Loop() {
				phase1Of(b, s)
			}
			each := b.Elapsed() / time.Duration(b.N)
			const rounds = 20
			began := time.Now()
			for range rounds {
				phase1Of(b, suiteAES)
			}
			b.ReportMetric(float64(each)/float64(time.Since(began)/rounds), "x-default")
		})
	}
}

// phase1Of establishes an SA on both sides.
func phase1Of(b *testing.B, s Suite) {
	gm, ks := config(rule.GM, "bench"), config(rule.KS, "bench")
	gm.Suites, ks.Suites = []Suite{s}, []Suite{s}
	i, ds := Initiate(gm, start, ksAddr)
	r, ds, err := Respond(ks, start, gmAddr, ds[0].Data)
	for toGM := true; err == nil && len(ds) > 0; toGM = !toGM {
		if toGM {
			ds, _, err = i.Handle(start, ksAddr, ds[0].Data)
		} else {
			ds, _, err = r.Handle(start, gmAddr, ds[0].Data)
		}
	}
	if err != nil || i.sa == nil || r.sa == nil {
		b.Fatal("not established", err)
	}
}

// What message 1 costs a responder, which is what anybody can make it pay.
func BenchmarkRespond(b *testing.B) {
	c, data := config(rule.KS, "bench"), main1(b, goodSA())
	for b.Loop() {
		if _, _, err := Respond(c, start, gmAddr, data); err != nil {
			b.Fatal(err)
		}
	}
}

// One message under an SA, sealed and opened.
func BenchmarkStream(b *testing.B) {
	p := established(b, "bench")
	gm, ks := p.iSA.NewStream(isakmp.ExchangePull, 7), p.rSA.NewStream(isakmp.ExchangePull, 7)
	ps := []isakmp.Payload{isakmp.Nonce{Data: make([]byte, 300)}}
	for b.Loop() {
		d, err := gm.Seal(core.Pull1, pullHash(p.iSA), ps)
		if err != nil {
			b.Fatal(err)
		}
		o, err := ks.Open(d.Data, isakmp.Phase1)
		if err != nil {
			b.Fatal(err)
		}
		o.Commit()
	}
}
