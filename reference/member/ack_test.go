package member_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// acking is a lab whose key server wants acknowledgements.
func acking(t testing.TB) *lab {
	l := newLab(t)
	l.ks.rekey.Ack = policy.AckKEKSHA256
	l.start()
	l.forget()
	return l
}

// ackOf is the acknowledgement that RFC 8263 §3 asks for, octet by octet.
func ackOf(under *policy.RekeySA, seq byte) []byte {
	seqPayload := []byte{5, 0, 0, 8, 0, 0, 0, seq}
	idPayload := []byte{0, 0, 0, 12, 1, 0, 0, 0, 192, 0, 2, 1}
	key := keymat.SHA256.PRF(under.Key, []byte("GROUPKEY-PUSH ACK\x00"), under.SPI[:], []byte{0x02, 0x00})
	b := append([]byte(nil), under.SPI[:]...)
	b = append(b, 8, 0x10, 35, 0, 0, 0, 0, 0, 0, 0, 0, 84)
	b = append(b, 18, 0, 0, 36)
	b = append(b, keymat.SHA256.PRF(key, seqPayload, idPayload)...)
	return append(append(b, seqPayload...), idPayload...)
}

func TestAcknowledgement(t *testing.T) {
	l := acking(t)
	from, to := netip.MustParseAddrPort("192.0.2.99:4848"), netip.MustParseAddrPort("239.1.1.1:1848")
	push := l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}})
	l.event(&core.Datagram{From: from, To: to, Data: push})
	l.conversation("GM --> PUSH-ACK")
	if len(l.ks.acks) != 1 {
		t.Fatalf("%d acknowledgements", len(l.ks.acks))
	}
	ack := l.ks.acks[0]
	if ack.From != netip.MustParseAddrPort("192.0.2.1:1848") || ack.To != from {
		t.Errorf("it goes from %s to %s", ack.From, ack.To)
	}
	if want := ackOf(l.ks.rekey, 1); !bytes.Equal(ack.Data, want) {
		t.Errorf("it is\n%s\nwant\n%s", hex.EncodeToString(ack.Data), hex.EncodeToString(want))
	}
}

// Which PUSH messages are answered.
func TestWhatIsAcknowledged(t *testing.T) {
	silent, asking := kek(2), kek(2)
	asking.Ack = policy.AckKEKSHA256
	own := kek(1).SPI
	for _, c := range []struct {
		name  string
		asked bool // by the SAK of the registration
		spec  pushSpec
		acks  int
	}{
		{"asked", true, pushSpec{seq: 1}, 1},
		{"not asked", false, pushSpec{seq: 1}, 0},
		{"asked by the new SAK", false, pushSpec{seq: 1, rekey: asking}, 1},
		{"no longer asked by the new SAK", true, pushSpec{seq: 1, rekey: silent}, 0},
		{"asked again by the new SAK", true, pushSpec{seq: 1, rekey: asking}, 1},
		{"the KEK is deleted", true, pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(0, own[:])}}, 1},
		{"SEQ is old", true, pushSpec{seq: 0}, 0},
		{"SIG is wrong", true, pushSpec{seq: 1, sig: func(b []byte) { b[0] ^= 1 }}, 0},
		{"form is wrong", true, pushSpec{seq: 1, after: []isakmp.Payload{isakmp.VID{}}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			if c.asked {
				l.ks.rekey.Ack = policy.AckKEKSHA256
			}
			l.start()
			l.push(l.ks.makePush(c.spec))
			if len(l.ks.acks) != c.acks {
				t.Fatalf("%d acknowledgements, want %d\n%s", len(l.ks.acks), c.acks, l.story())
			}
			if c.acks == 1 && !bytes.Equal(l.ks.acks[0].Data, ackOf(l.ks.rekey, 1)) {
				t.Errorf("it is %x", l.ks.acks[0].Data)
			}
		})
	}
}

// A type that the member does not know is no reason to leave the group.
func TestUnknownAckType(t *testing.T) {
	l := newLab(t)
	l.ks.rekey.Ack = 200
	l.start()
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.want("SPIs", l.spis(), "00002001* 00001001")
	if len(l.ks.acks) != 0 {
		t.Errorf("%d acknowledgements", len(l.ks.acks))
	}
}

// A copy of a PUSH is not answered a second time.
func TestAcknowledgedOnce(t *testing.T) {
	l := acking(t)
	push := l.ks.makePush(pushSpec{seq: 1})
	l.push(push, push, push)
	if len(l.ks.acks) != 1 {
		t.Errorf("%d acknowledgements", len(l.ks.acks))
	}
}
