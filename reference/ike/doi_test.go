package ike

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// replyIn has the responder answer in that DOI and situation, and otherwise as it should.
func replyIn(doi, situation uint32) core.Tap {
	return func(stage core.Stage, o *core.Outgoing) {
		if stage != core.Built || o.Kind != core.MainMode2 {
			return
		}
		sa := o.Payloads[0].(isakmp.SA)
		sa.DOI, sa.Situation = doi, situation
		o.Payloads[0] = sa
	}
}

func TestDOIOfIPsec(t *testing.T) {
	p := newPair(t.Name())
	p.gm.DOI, p.ks.DOI = doiIPsec, doiIPsec
	p.run()
	if p.iSA == nil || p.rSA == nil {
		t.Fatalf("not established: %v", p.refused)
	}
	for _, at := range []int{0, 1} {
		h, err := isakmp.ParseHeader(p.onWire[at].Data)
		if err != nil {
			t.Fatal(err)
		}
		ps, _, err := isakmp.Phase1.Parse(h.NextPayload, p.onWire[at].Data[isakmp.HeaderLen:], isakmp.HeaderLen)
		if err != nil {
			t.Fatal(err)
		}
		if sa, _, _ := isakmp.Find[isakmp.SA](ps); sa.DOI != doiIPsec || sa.Situation != identityOnly {
			t.Errorf("message %d has DOI %d, situation %d", at+1, sa.DOI, sa.Situation)
		}
	}
}

func TestReplyAsIPsec(t *testing.T) {
	tests := []struct {
		allowed        bool
		doi, situation uint32
		taken          bool
	}{
		{false, DefaultDOI, 0, true},
		{true, DefaultDOI, 0, true},
		{true, doiIPsec, identityOnly, true},
		{false, doiIPsec, identityOnly, false},
		{true, doiIPsec, 0, false},
		{true, DefaultDOI, identityOnly, false},
		{true, 3, identityOnly, false},
	}
	for _, tt := range tests {
		p := newPair(t.Name())
		p.gm.ReplyAsIPsec, p.ks.Tap = tt.allowed, replyIn(tt.doi, tt.situation)
		p.run()
		if taken := p.iSA != nil && p.rSA != nil; taken != tt.taken {
			t.Errorf("%+v: taken %t, refused %v", tt, taken, p.refused)
		}
	}
}
