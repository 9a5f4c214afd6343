package console

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// title names a group as the outputs about keys do.
func (g ksGroup) title() string {
	return fmt.Sprintf("For group %s (handle: %d) server %s (handle: %d):", g.Name, g.handle, g.server, g.handle)
}

// showKSRekey is "show crypto gdoi ks rekey".
func showKSRekey(in *call, g ksGroup) {
	p := &in.page
	p.head(0, "", g.title())
	if !g.owes(guardNumber) {
		g.Sequence = 0
	}
	p.pairs(1, "  ", "# of teks", len(spis(g.SAs)), "Seq num", g.Sequence)
	g.kek(p, false)
	p.gap()
}

// showKSPolicy is "show crypto gdoi ks policy".
func showKSPolicy(in *call, g ksGroup) {
	p := &in.page
	p.head(0, "", "Key Server Policy:")
	p.head(1, "", g.title())
	p.gap()
	p.pairs(2, "  ", "# of teks", len(spis(g.SAs)), "Seq num", g.Sequence)
	g.kek(p, true)
	p.gap()
	for _, spi := range spis(g.SAs) {
		g.tek(p, spi)
		p.gap()
	}
}

// kek is the Rekey SA, in short or with everything.
func (g ksGroup) kek(p *page, full bool) {
	k := g.KEK
	if k == nil {
		p.put(2, "  KEK POLICY: none")
		return
	}
	const at = "    "
	if !g.owes(guardKEK) {
		g.RekeyExpiry = g.now.Add(time.Duration(k.Lifetime) * time.Second)
	}
	p.head(2, "  ", fmt.Sprintf("KEK POLICY (transport type : %s)", capital(k.Transport)))
	p.pairs(3, at, "spi", rekeySPI(g.Rekey))
	p.pairs(3, at, "management alg", management(k), "encrypt alg", kekCipher(k))
	p.pairs(3, at, "crypto iv length", k.IV, "key size", k.KeyBits/8)
	p.pairs(3, at, "orig life(sec)", k.Lifetime, "remaining life(sec)", left(g.now, g.RekeyExpiry))
	if full {
		p.pairs(3, at, "time to rekey (sec)", left(g.now, k.Due))
	}
	p.pairs(3, at, "sig hash algorithm", "enabled", "sig key length", k.PublicKey)
	p.pairs(3, at, "sig size", (k.SigKeyBits+7)/8)
	p.pairs(3, at, "sig key name", unknown)
	if full {
		p.pairs(3, at, "acknowledgement", g.acknowledgement())
	}
}

func management(k *control.KEK) string {
	if k.Management == "" {
		return "disabled"
	}
	return k.Management
}

// tek is one Data-Security SA with the lists of packets that it is for.
func (g ksGroup) tek(p *page, spi string) {
	const at = "    "
	first := true
	for _, sa := range g.SAs {
		d := sa.Detail
		if sa.SPI != spi {
			continue
		}
		if first {
			p.head(2, "  ", fmt.Sprintf("TEK POLICY (encaps : %s)", encaps(d.Mode)))
			p.pairs(3, at, "spi", "0x"+spiHex(spi))
		}
		p.pairs(3, at, "access-list", aceOf("permit", d))
		if !first {
			continue
		}
		first = false
		p.pairs(3, at, "transform", transform(d))
		p.pairs(3, at, "alg key size", d.KeyOctets, "sig key size", d.IntegrityOctets)
		p.pairs(3, at, "orig life(sec)", d.Lifetime, "remaining life(sec)", left(g.now, sa.Expiry))
		p.pairs(3, at, "tek life(sec)", d.Lifetime, "elapsed time(sec)", max(0, d.Lifetime-left(g.now, sa.Expiry)))
		window := unknown
		if sa.Replay != nil && sa.Replay.Window != "" {
			window = replaySeconds(sa.Replay.Window)
		}
		p.pairs(3, at, "override life (sec)", 0, "antireplay window size", window)
		p.pairs(3, at, "time to rekey (sec)", left(g.now, d.Due))
	}
}

func spiHex(spi string) string {
	n, err := strconv.ParseUint(spi, 16, 32)
	if err != nil {
		return spi
	}
	return fmt.Sprintf("%X", n)
}

// showMembers is "show crypto gdoi ks members".
func showMembers(in *call, g ksGroup) {
	p := &in.page
	p.head(0, "", "Group Member Information :")
	p.gap()
	g.sent(p)
	for _, m := range g.Members {
		g.member(p, m)
	}
}

// sent are the counts of the group's rekeys.
func (g ksGroup) sent(p *page) {
	rekeys, again, took := strconv.FormatUint(g.Rekeys, 10), strconv.Itoa(g.Retransmits), fmt.Sprintf("%d msec", g.Took)
	p.put(1, fmt.Sprintf("Number of rekeys sent for group %s : %s", g.Name, rekeys), "Number of rekeys sent for group "+g.Name, rekeys)
	p.put(1, fmt.Sprintf("Number of retransmits during the last rekey for group %s : %s", g.Name, again),
		"Number of retransmits during the last rekey for group "+g.Name, again)
	p.put(1, fmt.Sprintf("Duration of the last rekey for group %s : %s", g.Name, took), "Duration of the last rekey for group "+g.Name, took)
	p.gap()
}

func (g ksGroup) member(p *page, m control.KSMember) {
	const at = " "
	p.head(1, "", "Group Member "+m.Identity)
	p.put(2, fmt.Sprintf("Group Member ID    : %s    GM Version: %s", host(m.Address), unknown), "Group Member ID", host(m.Address), "GM Version", unknown)
	p.field(2, at, "Group ID", g.ID)
	p.field(2, at, "Group Name", g.Name)
	p.field(2, at, "Group Type", "GDOI (ISAKMP)")
	p.field(2, at, "GM State", "Registered")
	p.field(2, at, "Key Server ID", g.server)
	p.field(2, at, "Rekeys sent", m.Rekeys)
	p.field(2, at, "Rekeys retries", m.Retries)
	p.field(2, at, "Rekey Acks Rcvd", m.Acks)
	p.field(2, at, "Rekey Acks missed", m.Missed)
	p.gap()
	p.field(2, at, "Sent seq num", numbers(m.Sent))
	p.field(2, at, "Rcvd seq num", numbers(m.Received))
	p.gap()
}

// showOneMember is "show crypto gdoi ks members ADDRESS".
func showOneMember(in *call) error {
	wanted := in.args[len(in.args)-1]
	groups, err := in.ksGroups(in.args[:len(in.args)-1]...)
	for _, g := range groups {
		found := false
		for _, m := range g.Members {
			if host(m.Address) == wanted || m.Identity == wanted {
				found = true
				g.sent(&in.page)
				g.member(&in.page, m)
			}
		}
		if !found {
			in.page.put(0, "Group Member not Found")
		}
	}
	return err
}

// showSummary is "show crypto gdoi ks members summary".
func showSummary(in *call, g ksGroup) {
	p := &in.page
	count := strconv.Itoa(len(g.Members))
	p.head(0, "", "Group Member Information :")
	p.gap()
	p.put(1, fmt.Sprintf("Group Name: %s, ID: %d, Group Members: %s", g.Name, g.ID, count),
		"Group Name", g.Name, "ID", strconv.FormatUint(uint64(g.ID), 10), "Group Members", count)
	p.put(1, fmt.Sprintf("Key Server ID: %s, GMDB state: LOCAL, Group Members: %s", g.server, count), "Key Server ID", g.server, "GMDB state", "LOCAL")
	p.gap()
	p.put(1, fmt.Sprintf("%-20s%-12s%-14s%s", "Member ID", "Version", "Rekey sent", "Rekey Ack missed"))
	for _, m := range g.Members {
		p.record(1, fmt.Sprintf("%-20s%-12s%-14d%d", host(m.Address), unknown, m.Rekeys, m.Missed), "Member ID", host(m.Address), "Version", unknown,
			"Rekey sent", strconv.FormatUint(m.Rekeys, 10), "Rekey Ack missed", strconv.FormatUint(m.Missed, 10))
	}
	p.gap()
}

// showFeature is "show crypto gdoi feature NAME" of a key server. Members do not tell it their version, and so count as those of
// another vendor.
func showFeature(in *call, g ksGroup) {
	yes := map[bool]string{true: "Yes", false: "No"}[features[in.args0("")]]
	p := &in.page
	p.head(0, "", "Group Name: "+g.Name)
	p.put(1, fmt.Sprintf("    %-22s%-11s%s", "Key Server ID", "Version", "Feature Supported"))
	p.record(1, fmt.Sprintf("        %-18s%-11s%s", g.server, ksVersion, yes), "Key Server ID", g.server, "Version", ksVersion, "Feature Supported", yes)
	p.gap()
	p.put(1, fmt.Sprintf("    %-22s%-11s%s", "Group Member ID", "Version", "Feature Supported"))
	for _, m := range g.Members {
		p.record(1, fmt.Sprintf("        %-18s%-11s%s", host(m.Address), unknown, "No"), "Group Member ID", host(m.Address), "Version", unknown, "Feature Supported", "No")
	}
	p.gap()
}

// features are the names that "feature" takes, and whether the reference has them.
var features = map[string]bool{
	"ckm": false, "crl-check": false, "cts-sgt": false, "dp-recovery": false, "gdoi-interop-ack": true, "gdoi-mib": false, "gikev2": false,
	"gm-removal": false, "ip-d3p": false, "long-sa-lifetime": true, "pfs": false, "policy-replace": false, "suite-b": true,
}
