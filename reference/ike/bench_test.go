package ike

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Both sides of a whole Phase 1: four exponentiations.
func BenchmarkPhase1(b *testing.B) {
	gm, ks := config(rule.GM, "bench"), config(rule.KS, "bench")
	for b.Loop() {
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
