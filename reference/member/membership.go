package member

import (
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gateway"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/reject"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// host is what the memberships of a member share.
type host struct {
	groups  []*membership // in the order of their policy
	out     []core.Effect // of the Handle in progress
	rules   *rule.Switches
	now     time.Time // of the Handle in progress
	secrets bool
	tap     core.Tap
	room    struct { // of groups and of out, as much as most need
		groups [1]*membership
		out    [4]core.Effect
	}
	rand    io.Reader
	rejects reject.Log
}

// emit appends effects to the answer of the event at hand.
func (h *host) emit(effects ...core.Effect) { h.out = append(h.out, effects...) }

// membership is the member's part in one group. Each registers by itself, even with the same key server, and has a Rekey SA and
// Sender-IDs of its own. What every event looks at stands together at the beginning: of many members in one process none stays in the
// cache of the processor from one event to its next.
type membership struct {
	*host
	gateway  *gateway.Group
	rekey    *rekeySA      // nil without a KEK
	exchange *ike.Exchange // Phase 1 in progress
	phase1   *ike.SA       // Phase 1 established
	pull     *pull         // GROUPKEY-PULL in progress
	sids     *policy.SIDs
	outlet   outlet

	kekGone      time.Time // when to register again, after the Rekey SA has ended; zero if nothing asks for it
	registration registration
	leases       leases
	keeper       keeper
	counts       counts
	recent       recentPushes
	cfg          policy.Member // as if there were no other group

	tracked    tracked
	directions directions // of GET VPN
	received   received
	replaced   policy.RekeySPI // the Rekey SA before this one; its last PUSH may still be repeated

	credentials *policy.Credentials // of Phase 1
	sealed      []byte              // the message that ike has just made, before a tap saw it
}

// send emits datagrams of the registration, except those that a tap withheld.
func (m *membership) send(datagrams ...ike.Datagram) {
	for _, d := range datagrams {
		if d.Data != nil {
			from := m.cfg.Address
			if d.From.IsValid() {
				from = d.From
			}
			m.transmit(core.Send{From: from, To: d.To, Data: d.Data, Kind: d.Kind})
		}
	}
}

// server is the key server that the current registration asks; not valid if there is none.
func (m *membership) server() netip.AddrPort {
	if len(m.cfg.KeyServers) == 0 {
		return netip.AddrPort{}
	}
	return m.cfg.KeyServers[m.registration.server]
}

// missing says what a member of GET VPN lacks to register; "" is nothing.
func (m *membership) missing() string {
	var lacks []string
	if m.cfg.Group == 0 && m.cfg.GroupOID == (policy.OIDName{}) {
		lacks = append(lacks, "the identity of the group")
	}
	if len(m.cfg.KeyServers) == 0 {
		lacks = append(lacks, "the address of a key server")
	}
	return strings.Join(lacks, " and ")
}
