package member_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// withList is a member of profile getvpn that denies what goes to 10.2/16, and has an entry for 10.3/16 that it cannot have.
func withList(cfg *policy.Member) {
	cfg.Profile = policy.ProfileGETVPN
	entry := func(deny bool, to string) policy.ACE {
		return policy.ACE{Deny: deny, Selector: policy.Selector{Source: prefix("10.1.0.0/16"), Destination: prefix(to)}}
	}
	cfg.AccessList = []policy.ACE{entry(true, "10.2.0.0/16"), entry(false, "10.3.0.0/16")}
}

// cameBack is a packet with source and destination swapped, which its checksum does not show.
func cameBack(packet []byte) []byte {
	p := slices.Clone(packet)
	copy(p[12:16], packet[16:20])
	copy(p[16:20], packet[12:16])
	return p
}

// throughLists sends packets of every entry, and back.
func throughLists(l *lab) {
	for n := byte(2); n < 5; n++ {
		l.event(&core.Packet{From: core.Inside, Data: clearPacketTo(n)})
		l.event(&core.Packet{From: core.Outside, Data: cameBack(clearPacketTo(n))})
	}
	l.say("GM", fmt.Sprint(l.passed))
}

func TestOwnAccessList(t *testing.T) {
	cfg := config()
	withList(&cfg)
	l := newLabWith(t, cfg, nil).start()
	for n, want := range map[byte]string{2: "clear", 3: "nothing", 4: "protected"} {
		got := "nothing"
		for _, e := range l.gm.Handle(l.now, &core.Packet{From: core.Inside, Data: clearPacketTo(n)}) {
			if f, ok := e.(*core.Forward); ok && bytes.Equal(f.Data, clearPacketTo(n)) {
				got = "clear"
			} else if ok {
				got = "protected"
			}
		}
		if got != want {
			t.Errorf("to 10.%d/16: %s, want %s", n, got, want)
		}
	}
	for tag, want := range map[string]int{"GM_ACL_PERMIT": 1, "GM_ACL_MERGE": 1} {
		if n := strings.Count(l.tags(), tag); n != want {
			t.Errorf("%d lines %s", n, tag)
		}
	}
}
