package algorithms

import (
	"context"
	"encoding/binary"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// senders are members of one group whose hosts all send.
const senders = 4

// sendersOf registers them, with Sender-IDs of that width.
func sendersOf(ctx context.Context, bits int) *lab.Lab {
	GinkgoHelper()
	return kit.Up(ctx, lab.Setup{Members: senders, Hosts: true, Group: func(g *policy.Group) {
		withTransform(inTunnel(named("aes128-gcm16")))(g)
		g.SIDBits = bits
	}})
}

// all has the host behind every member send so many packets to the next one's, and waits until they have left.
func all(ctx context.Context, l *lab.Lab, packets int) []kit.ESP {
	GinkgoHelper()
	before := kit.Now(l)
	scene := &espScene{Lab: l}
	for range packets {
		for i, h := range l.Hosts {
			kit.Precondition(h.Send(scene.packet(i+1, (i+1)%senders+1).Bytes()), "the host sends")
		}
	}
	l.Pass(ctx, kit.Settle) // to look for so many after each of them would take long
	l.Wait(ctx, lab.Patience, func() bool { return len(kit.ESPSince(l, before)) >= senders*packets })
	sent := kit.ESPSince(l, before)
	Expect(sent).To(HaveLen(senders*packets), "packets that leave in ESP")
	return sent
}

var _ = Describe("IVs of several senders under one SA (RFC 6054 §3)", kit.Subject("algorithms"), kit.DUT(rule.Both), func() {
	for _, bits := range []int{8, 12, 16} {
		It(fmt.Sprintf("sends more packets than an octet counts with Sender-IDs of %d bits, no IV of any member twice, each under one Sender-ID of its own", bits),
			kit.Requirement("RFC6054-2-01", "RFC6054-3-01", "RFC6054-3-02", "RFC6054-3-03", "RFC6054-3-06"), func(ctx SpecContext) {
				const packets = 300
				owner, seen := map[uint64]string{}, map[string]bool{}
				for _, p := range all(ctx, sendersOf(ctx, bits), packets) {
					ip, ok := lab.ParseIPv4(p.Packet)
					kit.Reached(ok, "the packet can be read")
					iv := ip.Payload[8:16]
					Expect(seen[string(iv)]).To(BeFalse(), "IV %x comes twice", iv)
					seen[string(iv)] = true
					sid := binary.BigEndian.Uint64(iv) >> (64 - bits)
					if owner[sid] == "" {
						owner[sid] = p.From.String()
					}
					Expect(p.From.String()).To(Equal(owner[sid]), "who sends with Sender-ID %d", sid)
				}
				Expect(owner).To(HaveLen(senders), "Sender-IDs")
			})
	}
})
