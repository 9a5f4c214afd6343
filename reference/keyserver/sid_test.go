package keyserver_test

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// TestSIDExhaustion registers until the SIDs of 8 bits are used up. The next registration gets new keys and SID 0, and
// the others are told before to delete what they have (RFC 6407 §3.5).
func TestSIDExhaustion(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	other := l.member(2).phase1()
	old := other.register(gdoimap.RequestOf(255, nil))
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	l.pass(0)
	sent := m.deliver(m.addr, p.message3())
	if len(sent) != 2 || sent[0].Kind != core.Push || sent[0].To != other.addr || sent[1].Kind != core.Pull4 {
		t.Fatalf("sent %d datagrams", len(sent))
	}
	if deletes := other.receive(sent[0].Data).deletes; len(deletes) != 2 {
		t.Errorf("deletes %+v", deletes)
	}
	d := p.read4(sent[1].Data)
	if d.sids[0] != 0 || d.SAs[0].SPI == old.SAs[0].SPI || bytes.Equal(d.SAs[0].CipherKey, old.SAs[0].CipherKey) || d.Rekey.SPI == old.Rekey.SPI {
		t.Errorf("download %+v", d)
	}
	if d := other.register(); d.sids[0] != 1 || d.SAs[0].SPI == old.SAs[0].SPI {
		t.Errorf("and then %+v", d)
	}
}

// TestSIDsImpossible: more SIDs than there are.
func TestSIDsImpossible(t *testing.T) {
	l := newLab(t, configuration(), nil)
	p := l.member(1).phase1().begin()
	p.read2(p.only(p.deliver(p.addr, p.message1())))
	checkRefusal(t, p.gm, p.deliver(p.addr, p.message3(gdoimap.RequestOf(257, nil))), "group.sid.space", isakmp.NotifyInvalidSPI)
}
