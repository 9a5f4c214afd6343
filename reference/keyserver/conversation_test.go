package keyserver_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// recorder is a tap that writes down what leaves.
type recorder struct{ lines []string }

func (r *recorder) see(stage core.Stage, o *core.Outgoing) {
	if stage != core.Authenticated {
		return
	}
	var names []string
	for _, p := range o.Payloads {
		name := p.Type().String()
		if sa, ok := p.(gdoi.SA); ok {
			var inside []string
			for _, a := range sa.Attributes {
				inside = append(inside, a.Type().String())
			}
			name += "{" + strings.Join(inside, " ") + "}"
		}
		if kd, ok := p.(gdoi.KD); ok {
			var inside []string
			for _, k := range kd.Packets {
				inside = append(inside, k.Type.String())
			}
			name += "{" + strings.Join(inside, " ") + "}"
		}
		if seq, ok := p.(gdoi.SEQ); ok {
			name = fmt.Sprintf("SEQ %d", seq.Number)
		}
		names = append(names, name)
	}
	r.lines = append(r.lines, fmt.Sprintf("%s %s", o.Kind, strings.Join(names, ", ")))
}

func (r *recorder) expect(t *testing.T, want string) {
	t.Helper()
	got := strings.Join(r.lines, "\n")
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if want = strings.Join(lines, "\n"); got != want {
		t.Errorf("the key server said\n%s\nwant\n%s", got, want)
	}
	r.lines = nil
}

// TestConversation is a day in the life of a group: registration, the scheduled rekeys, a new KEK, and the end of
// everything.
func TestConversation(t *testing.T) {
	r := new(recorder)
	l := newLab(t, configuration(), r.see)
	m := l.member(1).phase1()
	r.expect(t, `
		MM2 SA
		MM4 KE, NONCE
		MM6 ID, HASH`)

	d := m.register()
	r.expect(t, `
		PULL2 HASH, NONCE, SA{SAK SAT}
		PULL4 HASH, SEQ 0, KD{KEK TEK SID}`)
	if d.seq != 0 || len(d.SAs) != 1 || len(d.sids) != 1 || d.sids[0] != 0 {
		t.Errorf("download %+v", d)
	}

	sent := l.pass(23 * time.Hour) // TEKs of an hour, renewed six minutes before their end; the KEK comes with the 24th
	if len(sent) != 25 {
		t.Fatalf("%d PUSHes", len(sent))
	}
	for i, s := range sent {
		p := m.receive(s.Data)
		if want := uint32(i)%24 + 1; p.seq != want || s.To != m.addr || s.Kind != core.Push {
			t.Errorf("PUSH %d to %v has number %d", i, s.To, p.seq)
		}
		if at := p.policy.Rekey != nil; at != (i == 23) {
			t.Errorf("PUSH %d: new KEK %t", i, at)
		}
	}
	for _, line := range r.lines[:23] {
		if _, after, _ := strings.Cut(line, ", "); after != "SA{SAT}, KD{TEK}, SIG" {
			t.Errorf("scheduled rekey: %s", line)
		}
	}
	r.lines = r.lines[23:]
	r.expect(t, `
		PUSH SEQ 24, SA{SAK SAT}, KD{KEK TEK}, SIG
		PUSH SEQ 1, SA{SAT}, KD{TEK}, SIG`)

	l.rekey(control.RekeyArgs{KEK: true, KEKOnly: true})
	r.expect(t, `PUSH SEQ 2, SA{SAK}, KD{KEK}, SIG`)
	l.rekey(control.RekeyArgs{DeleteAll: true})
	r.expect(t, `PUSH SEQ 1, D, D, SIG`)
	if sent := l.pass(10 * time.Hour); len(sent) != 1 || sent[0].Kind != core.Informational {
		t.Errorf("nobody has the new keys, and yet there is more than the Delete of Phase 1: %d messages", len(sent))
	}
}

// TestPushHeader looks at every octet that a member sees before it decrypts.
func TestPushHeader(t *testing.T) {
	l := newLab(t, configuration(multicast), nil)
	m := l.joined(1)
	sent := l.rekey(control.RekeyArgs{})
	if len(sent) != 1 || sent[0].To != netip.MustParseAddrPort("239.1.1.1:848") || sent[0].From != ksAddress {
		t.Fatalf("sent %+v", sent)
	}
	data := sent[0].Data
	want := append(bytes.Clone(m.rekey.SPI[:]), 18, 0x10, 33, 1, 0, 0, 0, 0, 0, 0, byte(len(data)>>8), byte(len(data)))
	if !bytes.Equal(data[:28], want) {
		t.Errorf("header %x\nwant   %x", data[:28], want)
	}
	if (len(data)-28)%16 != 0 {
		t.Errorf("%d octets encrypted", len(data)-28)
	}
	m.receive(data)
}

// TestDeletes: everything is deleted by SPI 0, ESP SAs first, each kind in a payload of its own (RFC 6407 §5.9).
func TestDeletes(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	p := m.receive(m.only(l.rekey(control.RekeyArgs{DeleteAll: true})))
	if len(p.deletes) != 2 || chain(p.payloads) != "SEQ, D, D, SIG" {
		t.Fatalf("PUSH %s", chain(p.payloads))
	}
	esp, kek := p.deletes[0], p.deletes[1]
	if esp.DOI != 2 || esp.Protocol != 1 || esp.SPISize != 4 || len(esp.SPIs) != 1 || !bytes.Equal(esp.SPIs[0], make([]byte, 4)) {
		t.Errorf("first %+v", esp)
	}
	if kek.DOI != 2 || kek.Protocol != 0 || kek.SPISize != 16 || len(kek.SPIs) != 1 || !bytes.Equal(kek.SPIs[0], make([]byte, 16)) {
		t.Errorf("second %+v", kek)
	}
}

// TestUnicastCopies: every member is sent the same octets.
func TestUnicastCopies(t *testing.T) {
	l := newLab(t, configuration(), nil)
	for n := 1; n <= 3; n++ {
		l.joined(n)
	}
	sent := l.rekey(control.RekeyArgs{})
	if len(sent) != 3 {
		t.Fatalf("%d datagrams", len(sent))
	}
	for i, s := range sent {
		if s.To != memberAddr(i+1) || !bytes.Equal(s.Data, sent[0].Data) {
			t.Errorf("datagram %d to %v differs: %t", i, s.To, !bytes.Equal(s.Data, sent[0].Data))
		}
	}
}

// TestSecrets: who asks for key material gets what a reader of a capture needs, and nobody else gets anything.
func TestSecrets(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	sent := l.rekey(control.RekeyArgs{KEK: true})
	m.receive(m.only(sent))
	var rekeys, traffic, phase1, sids int
	for _, s := range l.secrets {
		switch {
		case s.Phase1 != nil:
			phase1++
		case s.Rekey != nil:
			rekeys++
			if s.Group != groupID || s.Rekey.Destination.Port() != 0 {
				t.Errorf("secret %+v", s)
			}
		case s.Traffic != nil:
			traffic++
		case s.SIDs != nil:
			sids++
		}
	}
	if phase1 != 1 || rekeys != 2 || traffic != 2 || sids != 1 {
		t.Errorf("Phase 1 %d, Rekey SAs %d, SAs %d, SIDs %d", phase1, rekeys, traffic, sids)
	}
	if got := l.secrets[len(l.secrets)-2].Rekey; got == nil || !bytes.Equal(got.Key, m.rekey.Key) {
		t.Error("the new KEK is not what the member got")
	}
}
