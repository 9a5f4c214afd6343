package console

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// showACL is "show crypto gdoi gm acl".
func showACL(in *call, g gmGroup) {
	p := &in.page
	p.head(0, "", "Group Name: "+g.name)
	g.downloaded(p)
	showLocalACL(in, g)
}

// showLocalACL is the member's own access list.
func showLocalACL(in *call, g gmGroup) {
	p := &in.page
	p.head(1, " ", "ACL Configured Locally:")
	p.put(2, "  Map Name: "+mapName, "Map Name", mapName)
	for _, e := range ownList(g.cfg) {
		entry := action(e.Deny) + " " + ownFlow(e.Selector)
		p.put(2, "   access-list   "+entry, "access-list", entry)
	}
	p.gap()
}

// ownList is what a member leaves in clear, or discards, by itself: its access list, and the entries of its own policy.
func ownList(m policy.Member) []policy.ACE {
	list := slices.Clone(m.AccessList)
	for _, e := range m.DataPath.Own {
		list = append(list, policy.ACE{Deny: e.Action == policy.OwnBypass, Selector: e.Selector})
	}
	return list
}

func ownFlow(s policy.Selector) string {
	return fmt.Sprintf("%s %s %s", protocolName(s.Protocol), aceEnd(s.Source.String(), s.SourcePort), aceEnd(s.Destination.String(), s.DestinationPort))
}

// showGMRekey is "show crypto gdoi gm rekey".
func showGMRekey(in *call, g gmGroup) {
	p := &in.page
	p.head(0, "", fmt.Sprintf("Group %s (%s)", g.name, capital(g.transport())))
	p.field(1, "    ", "Number of Rekeys received (cumulative)", g.Rekeys)
	p.field(1, "    ", "Number of Rekeys received after registration", g.since())
	p.field(1, "    ", "Number of Rekey Acks sent", g.Acks)
	if g.KEK == nil {
		p.gap()
		return
	}
	p.head(1, "    ", "Rekey (KEK) SA information :")
	p.field(2, "      ", "dst", g.own())
	p.field(2, "      ", "src", host(g.KeyServer))
	p.field(2, "      ", "conn-id", rekeySPI(g.Rekey))
	p.field(2, "      ", "rekey seq num", g.Sequence)
	p.field(2, "      ", "remaining life(sec)", left(g.now, g.RekeyExpiry))
	p.gap()
}

func (g gmGroup) transport() string {
	if g.KEK == nil {
		return ""
	}
	return g.KEK.Transport
}

// showGroupSAs is "show crypto gdoi ipsec sa".
func showGroupSAs(in *call, g gmGroup) {
	p := &in.page
	p.head(0, "", fmt.Sprintf("SA created for group %s:", g.name))
	p.head(1, "  ", in.console.opts.Interface+":")
	for _, sa := range g.SAs {
		d, method := sa.Detail, g.replayMethod(sa)
		p.head(2, "    ", "protocol = "+protocolName(d.IPProtocol))
		p.put(3, "      local ident  = "+identOf(d.Source, d.SourcePort), "local ident", identOf(d.Source, d.SourcePort))
		p.put(3, "      remote ident = "+identOf(d.Destination, d.DestinationPort), "remote ident", identOf(d.Destination, d.DestinationPort))
		p.put(3, fmt.Sprintf("      direction: %s, replay(method/window): %s", saDirection(d.Direction), method),
			"direction", saDirection(d.Direction), "replay(method/window)", method)
	}
	p.gap()
}

// showCounters is "show crypto gdoi gm dataplane counters".
func showCounters(in *call) error {
	s, err := in.member()
	if err != nil {
		return err
	}
	p := &in.page
	p.head(0, "", "Data-plane statistics for group "+in.args0("all")+":")
	for _, c := range [...]struct {
		label string
		of    uint64
	}{
		{"#pkts encrypt", s.Counters["encrypted"]}, {"#pkts decrypt", s.Counters["decrypted"]},
		{"#pkts bypass", s.Counters["bypassed"]}, {"#pkts drop", s.Counters["dropped"]},
	} {
		p.field(1, "    ", c.label, c.of)
	}
	return nil
}

// showIPsecSA is "show crypto ipsec sa" of a member.
func showIPsecSA(in *call) error {
	s, err := in.member()
	if err != nil {
		return err
	}
	groups, err := in.gmGroups()
	if err != nil {
		return err
	}
	if !in.console.kept(guardUse) {
		s.Counters = nil
	}
	p := &in.page
	p.head(0, "", "interface: "+in.console.opts.Interface)
	p.put(1, fmt.Sprintf("    Crypto map tag: %s, local addr %s", mapName, groups[0].own()), "Crypto map tag", mapName, "local addr", groups[0].own())
	p.put(1, fmt.Sprintf("    #pkts encaps: %d, #pkts encrypt: %d", s.Counters["encrypted"], s.Counters["encrypted"]),
		"#pkts encaps", fmt.Sprint(s.Counters["encrypted"]), "#pkts encrypt", fmt.Sprint(s.Counters["encrypted"]))
	p.put(1, fmt.Sprintf("    #pkts decaps: %d, #pkts decrypt: %d, #pkts verify: %d", s.Counters["decrypted"], s.Counters["decrypted"], s.Counters["decrypted"]),
		"#pkts decaps", fmt.Sprint(s.Counters["decrypted"]), "#pkts decrypt", fmt.Sprint(s.Counters["decrypted"]), "#pkts verify", fmt.Sprint(s.Counters["decrypted"]))
	for _, g := range groups {
		for _, sa := range g.SAs {
			g.ipsec(p, sa)
		}
	}
	p.gap()
	return nil
}

// ipsec is one SA: its packets, and how it protects them.
func (g gmGroup) ipsec(p *page, sa control.SA) {
	d := sa.Detail
	protected := g.vrf()
	if protected == none {
		protected = "(none)"
	}
	p.head(1, "   ", "protected vrf: "+protected)
	local, remote := ident(d.Source, d.IPProtocol, d.SourcePort), ident(d.Destination, d.IPProtocol, d.DestinationPort)
	p.put(2, "   local  ident (addr/mask/prot/port): "+local, "local ident", local)
	p.put(2, "   remote ident (addr/mask/prot/port): "+remote, "remote ident", remote)
	p.put(2, "   Group: "+g.name, "Group", g.name)
	p.put(2, "   current_peer 0.0.0.0 port 848", "current_peer", "0.0.0.0 port 848")
	p.put(2, "     spi: "+spiText(sa.SPI), "spi", spiText(sa.SPI))
	p.put(2, fmt.Sprintf("       transform: %s ,", transform(d)), "transform", transform(d))
	p.put(2, "       in use settings ={"+capital(d.Mode)+", }", "in use settings", capital(d.Mode))
	timing := g.timing(sa)
	p.put(2, "       sa timing: remaining key lifetime (sec): "+timing, "sa timing: remaining key lifetime (sec)", timing)
	status := "ACTIVE(ACTIVE)"
	if !sa.Sending {
		status = "ACTIVE(PASSIVE)"
	}
	p.put(2, "       Status: "+status, "Status", status)
}

// ident writes packets of one side as the tables of SAs do: address, mask, protocol and port.
func ident(prefix string, protocol uint8, port uint16) string {
	if p, err := netip.ParsePrefix(prefix); err == nil && p.Addr().Is4() {
		mask := ^(^uint32(0) >> p.Bits())
		prefix = fmt.Sprintf("%s/%d.%d.%d.%d", p.Addr(), byte(mask>>24), byte(mask>>16), byte(mask>>8), byte(mask))
	}
	return fmt.Sprintf("(%s/%d/%d)", prefix, protocol, port)
}

// mapName is how the console calls the one crypto map of a member.
const mapName = "gdoi"

// showMap is "show crypto map".
func showMap(in *call) error {
	groups, err := in.gmGroups()
	p := &in.page
	for i, g := range groups {
		p.head(0, "", fmt.Sprintf("Crypto Map \"%s\" %d gdoi", mapName, 10*(i+1)))
		p.field(1, "    ", "Group Name", g.name)
		p.field(1, "    ", "identity number", g.Group)
		for _, s := range g.cfg.KeyServers {
			p.field(1, "    ", "server address ipv4", s.Addr())
		}
		p.field(1, "    ", "Interfaces using crypto map "+mapName, in.console.opts.Interface)
		p.gap()
	}
	return err
}

// showFailClose is "show crypto map gdoi fail-close".
func showFailClose(in *call) error {
	p := &in.page
	m := in.console.opts.Member
	activate := map[bool]string{true: "yes", false: "no"}[m.FailClose.Activate == in.console.kept(guardActivate)]
	p.put(0, fmt.Sprintf("Crypto Map: %q", mapName), "Crypto Map", mapName)
	p.field(0, "    ", "Activate", activate)
	p.head(0, "    ", "Fail-Close Access-List: (Deny = Forward In Clear, Permit = Drop)")
	for _, e := range m.FailClose.AccessList {
		entry := action(e.Action == policy.ACLDeny) + " " + ownFlow(e.Selector)
		p.put(1, "        access-list "+entry, "access-list", entry)
	}
	return nil
}

// showRuleset is "show crypto ruleset", with or without the handles of the rules.
func showRuleset(detail bool) func(*call) error {
	return func(in *call) error {
		groups, err := in.gmGroups()
		p := &in.page
		p.head(0, "", in.console.opts.Interface+":")
		handle := uint64(59000000000000)
		rule := func(text string, deny bool) {
			if detail && in.console.kept(guardHandles) {
				handle++
				if text = fmt.Sprintf("%014d %s", handle, text); deny {
					text += fmt.Sprintf(" -> %014d", handle+100)
				}
			}
			p.record(1, "  "+text, "rule", text)
		}
		for _, e := range ownList(*in.console.opts.Member) {
			s := e.Selector
			rule(ruleOf(s.Protocol, s.Source.String(), s.Destination.String(), s.SourcePort, s.DestinationPort)+" DENY", true)
		}
		rule("11 ANY/848 ANY/848 DENY", true)
		for _, g := range groups {
			for _, sa := range g.SAs {
				d := sa.Detail
				flow := ruleOf(d.IPProtocol, d.Source, d.Destination, d.SourcePort, d.DestinationPort)
				actions := []string{" IPSec SA Passive", " IPSec Cryptomap"}
				if !in.console.kept(guardPassive) {
					slices.Reverse(actions)
				}
				for _, action := range actions {
					rule(flow+action, false)
				}
			}
		}
		return err
	}
}

// ruleOf writes packets as the rules do: the protocol in hexadecimal, ANY for what does not matter.
func ruleOf(protocol uint8, source, destination string, from, to uint16) string {
	name := "IP"
	if protocol != 0 {
		name = fmt.Sprintf("%02X", protocol)
	}
	return name + " " + ruleEnd(source, from) + " " + ruleEnd(destination, to)
}

func ruleEnd(prefix string, port uint16) string {
	if strings.HasSuffix(prefix, "/0") {
		prefix = "ANY"
	}
	if port != 0 {
		prefix += fmt.Sprintf("/%d", port)
	}
	return prefix
}
