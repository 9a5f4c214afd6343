package tester

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// modesMessage is what a core makes of a message of Aggressive Mode, of message 6 or of dead peer detection.
func modesMessage(kind core.Kind, notify isakmp.NotifyType) *core.Outgoing {
	o := phase1Message(core.MainMode5)
	o.Kind = kind
	switch kind {
	case core.Aggressive1:
		o = phase1Message(core.MainMode1)
		o.Kind, o.Header.Exchange = kind, isakmp.ExchangeAggressive
		o.Payloads = append(o.Payloads, isakmp.KE{Data: make([]byte, 8)})
	case core.Informational:
		o.Payloads = []isakmp.Payload{isakmp.Notify{DOI: 2, Protocol: 1, NotifyType: notify, SPI: make([]byte, 16), Data: be32(0x01020304)}}
	}
	return o
}

func TestModeDeviations(t *testing.T) {
	const ask, ack, told = isakmp.NotifyRUThere, isakmp.NotifyRUThereACK, isakmp.NotifyResponderLifetime
	for _, c := range []struct {
		kind   core.Kind
		notify isakmp.NotifyType
		d      Deviation
		want   string // that the octets have and others have not, in hexadecimal
	}{
		{core.Aggressive1, 0, TwoGroups(core.Aggressive1), "80040014"},
		{core.Aggressive1, 0, OffersKilobytes(core.Aggressive1, 7), "800b0002" + "000c0004" + "00000007"},
		{core.Aggressive1, 0, AsMainMode(), "0110" + "02"},
		{core.Aggressive3, 0, RepeatProof(core.Aggressive3), "08000024" + fmt.Sprintf("%x", bytes.Repeat([]byte{9}, 32)) + "00000024"},
		{core.MainMode6, 0, RespondsLifetime(time.Minute), "6000" + "0100000000000000" + "0200000000000000" + "800b0001" + "000c00040000003c"},
		{core.MainMode6, 0, RespondsGarbage(), "0200000000000000" + "800b00"},
		{core.Informational, told, NotifiesLifetime(time.Minute), "6000" + "0000000000000000" + "0000000000000000" + "800b0001" + "000c00040000003c"},
		{core.Informational, told, NotifiesLifetimeOfAnother(time.Minute), "0100000000000000" + "800b0001" + "000c00040000003c"},
		{core.Informational, ask, OtherCookies(ask), "8d28" + "000000000000000001"},
		{core.Informational, ack, OtherCookies(ack), "8d29" + "000000000000000001"},
		{core.Informational, ask, NoCookies(ask), "01008d28" + "01020304"},
		{core.Informational, ask, OtherNumber(ask, -1), "01020303"},
		{core.Informational, ask, SameNumber(9), "00000009"},
		{core.Informational, ask, FallingNumbers(), "00100000"},
	} {
		t.Run(c.d.Name, func(t *testing.T) {
			if c.d.Section == "" {
				t.Error("it breaks no section")
			}
			if got := fmt.Sprintf("%x", pass(t, c.d.Tap, modesMessage(c.kind, c.notify))); !bytes.Contains([]byte(got), []byte(c.want)) {
				t.Errorf("sent %s, want %q in it", got, c.want)
			}
			if usual := fmt.Sprintf("%x", pass(t, nil, modesMessage(c.kind, c.notify))); bytes.Contains([]byte(usual), []byte(c.want)) {
				t.Errorf("%q is in %s, which is as it should be", c.want, usual)
			}
			for other := core.MainMode1; other <= core.Informational; other++ {
				if other != c.kind && !slices.Equal(pass(t, nil, phase1Message(other)), pass(t, c.d.Tap, phase1Message(other))) {
					t.Errorf("%s is changed too", other)
				}
			}
		})
	}
}

// The other notification of the two is left alone, and only the answers are withheld.
func TestLivenessDeviations(t *testing.T) {
	const ask, ack = isakmp.NotifyRUThere, isakmp.NotifyRUThereACK
	if !slices.Equal(pass(t, OtherNumber(ack, 5).Tap, modesMessage(core.Informational, ask)), pass(t, nil, modesMessage(core.Informational, ask))) {
		t.Error("a question is changed with the answers")
	}
	for notify, want := range map[isakmp.NotifyType]bool{ask: false, ack: true} {
		o := modesMessage(core.Informational, notify)
		pass(t, Unanswered().Tap, o)
		if o.Withhold != want {
			t.Errorf("%s withheld: %v", notify, o.Withhold)
		}
	}
}
