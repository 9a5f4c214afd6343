package ike

import (
	"bytes"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// streams notes what can be seen under an SA.
func (o *observer) streams() {
	p := o.pair("mutant streams")
	p.gm.Retries = 1
	p.run()
	mine, peer := p.iSA, p.rSA
	if o.role == rule.KS {
		mine, peer = p.rSA, p.iSA
	}
	if mine == nil || peer == nil {
		return
	}
	for _, tc := range pullCases(o.tb, peer) {
		opened, err := mine.NewStream(isakmp.ExchangePull, header(o.tb, append(tc.data, make([]byte, isakmp.HeaderLen)...)).MessageID).
			Open(tc.data, isakmp.Phase1)
		o.note("PULL: %s: refused %v, after %d", tc.name, err != nil, lenAfter(opened))
	}
	o.dialogue(mine, peer)
	o.informationals(mine, peer)
}

func lenAfter(o *Opened) int {
	if o == nil {
		return -1
	}
	return len(o.After)
}

// dialogue notes a PULL of four messages, in which the observed side is also handed garbage.
func (o *observer) dialogue(mine, peer *SA) {
	a, b := mine.NewStream(isakmp.ExchangePull, 77), peer.NewStream(isakmp.ExchangePull, 77)
	for turn := range 4 {
		from, to := a, b
		if turn%2 == 1 {
			from, to = b, a
		}
		d, err := from.Seal(core.Pull1, pullHash(from.sa), nonceOf("turn"))
		if from == a {
			o.note("%s %v", describe(o.tb, d), err)
		} else {
			_, _ = a.Open(set(d.Data, len(d.Data)-1, 0x5a), isakmp.Phase1)
		}
		opened, err := to.Open(d.Data, isakmp.Phase1)
		if o.note("turn %d: %v", turn, err); err != nil {
			return
		}
		o.note("%d payloads, HASH verifies %v", len(opened.Payloads),
			bytes.Equal(opened.Hash, pullHash(to.sa)([4]byte(d.Data[atMessageID:atLength]), opened.After)))
		opened.Commit()
	}
}

func (o *observer) informationals(mine, peer *SA) {
	latest := mine.latest
	var ids []uint32
	for range 3 {
		d, err := mine.SealDelete(keymat.Seeded("info", fmt.Sprint(len(ids))))
		h := header(o.tb, d.Data)
		ids = append(ids, h.MessageID)
		o.note("%s %v, ID of another exchange %v", describe(o.tb, d), err, h.MessageID == latest)
		opened, err := peer.OpenInformational(d.Data)
		if err == nil {
			deleted, err := peer.Deleted(opened)
			o.note("deleted %v, %v", deleted, err)
		}
		o.note("opened %v", err)
	}
	o.note("IDs count %v", ids[1] == ids[0]+1)
	d, _ := mine.SealInformational(keymat.Seeded("notify"), mine.Notify(isakmp.NotifyInvalidIDInformation, nil))
	if opened, err := peer.OpenInformational(d.Data); err == nil {
		n, _, _ := isakmp.Find[isakmp.Notify](opened.Payloads)
		o.note("%+v", n)
	}
	good, _ := peer.SealDelete(keymat.Seeded("good"))
	for _, tc := range infoCases(o.tb, peer, good.Data) {
		_, err := mine.OpenInformational(tc.data)
		o.note("INFO: %s: refused %v", tc.name, err != nil)
	}
	bad, _ := peer.NewStream(isakmp.ExchangeInformational, 9).Seal(core.Informational,
		func([4]byte, []byte) []byte { return make([]byte, 32) }, nil)
	_, err := mine.OpenInformational(bad.Data)
	o.note("INFO: bad HASH: refused %v", err != nil)
	other, _ := peer.SealInformational(keymat.Seeded("other"), isakmp.Delete{Protocol: 1, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}})
	opened, err := mine.OpenInformational(other.Data)
	if err != nil {
		o.note("no Informational: %v", err)
		return
	}
	deleted, err := mine.Deleted(opened)
	o.note("another SA deleted: %v, %v", deleted, err)
}
