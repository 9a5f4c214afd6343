package console

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// gmVersion is the version of GET VPN that a member of the reference says it has.
const gmVersion = "1.0.2"

// gmGroup is a group of a member with what its configuration says of it.
type gmGroup struct {
	control.GMGroup
	cfg  policy.Member // as it is in this group
	name string
	now  time.Time
	owes func(*rule.Guard) bool
}

// gmGroups are the groups of a member, or the one that the line names.
func (in *call) gmGroups(named ...string) ([]gmGroup, error) {
	s, err := in.member()
	if err != nil {
		return nil, err
	}
	var all []gmGroup
	var known []policy.Member
	for _, table := range in.console.opts.Member.Tables() {
		known = append(known, table.Memberships()...)
	}
	for i, g := range s.Memberships() {
		one := gmGroup{GMGroup: g, cfg: known[min(i, len(known)-1)], now: s.Time, owes: in.console.kept}
		one.name = one.cfg.GroupName
		if one.name == "" {
			one.name = strconv.FormatUint(uint64(g.Group), 10)
		}
		if len(named) == 0 || !one.owes(guardOne) || named[0] == one.name || named[0] == strconv.FormatUint(uint64(g.Group), 10) {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, errNoGroup
	}
	return all, nil
}

// eachGM shows something of every group, or of the one that the line names.
func eachGM(show func(*call, gmGroup)) func(*call) error {
	return func(in *call) error {
		groups, err := in.gmGroups(in.args...)
		for _, g := range groups {
			show(in, g)
		}
		return err
	}
}

// showGM is "show crypto gdoi" of a member.
func showGM(in *call, g gmGroup) {
	p := &in.page
	p.head(0, "", "GROUP INFORMATION")
	p.gap()
	g.header(p)
	g.member(p, in.console.opts)
	g.cumulative(p)
	g.downloaded(p)
	g.kek(p)
	g.teks(p, in.console.opts.Interface)
	for _, kind := range []string{"KGS POLICY:", "P2P POLICY:"} {
		p.head(1, "", kind)
		p.put(2, "REG_GM: local_addr "+g.own(), "local_addr", g.own())
		p.gap()
	}
}

// showGMOnly is "show crypto gdoi gm": the member without the policy.
func showGMOnly(in *call, g gmGroup) {
	g.member(&in.page, in.console.opts)
	g.cumulative(&in.page)
}

// tracked is the object that follows whether the group has a key, with its state.
func (g gmGroup) tracked() string {
	if g.cfg.Track == nil {
		return "disabled"
	}
	return fmt.Sprintf("%d/%s", g.cfg.Track.Number, strings.ToUpper(g.Track))
}

func (g gmGroup) own() string { return g.cfg.Address.Addr().String() }

func family(a netip.Addr) string {
	if a.Is4() {
		return "ipv4"
	}
	return "ipv6"
}

func (g gmGroup) direction() string {
	switch g.Modes.Direction {
	case policy.UsageInboundOptional.String():
		return "Inbound Optional"
	case policy.UsageReceiveOnly.String():
		return "Inbound Only"
	}
	for _, sa := range g.SAs {
		return saDirection(sa.Detail.Direction)
	}
	return "Both"
}

func (g gmGroup) header(p *page) {
	const in = "    "
	p.field(1, in, "Group Name", g.name)
	p.field(1, in, "Group Identity", g.Group)
	p.field(1, in, "Group Type", "GDOI (ISAKMP)")
	p.field(1, in, "Crypto Path", family(g.cfg.Address.Addr()))
	p.field(1, in, "Key Management Path", family(g.cfg.Address.Addr()))
	p.field(1, in, "Rekeys received", g.Rekeys)
	p.field(1, in, "IPSec SA Direction", g.direction())
	p.gap()
	servers := make([]string, len(g.cfg.KeyServers))
	for i, s := range g.cfg.KeyServers {
		servers[i] = s.Addr().String()
	}
	for i, s := range servers {
		if i == 0 {
			p.put(1, fmt.Sprintf("     %-24s: %s", "Group Server list", s), "Group Server list", s)
		} else {
			p.put(1, fmt.Sprintf("     %-24s  %s", "", s), "Group Server list", s)
		}
	}
	p.gap()
}

func (g gmGroup) member(p *page, o Options) {
	const in = "       "
	p.head(1, "", fmt.Sprintf("Group Member Information For Group %s:", g.name))
	p.field(2, "    ", "IPSec SA Direction", g.direction())
	p.field(2, "    ", "ACL Received From KS", g.received())
	p.gap()
	p.put(2, fmt.Sprintf("    %-25s: %-15s vrf: %s", "Group member", g.own(), g.vrf()), "Group member", g.own(), "vrf", g.vrf())
	p.field(2, in, "Local addr/port", fmt.Sprintf("%s/%d", g.own(), g.cfg.Address.Port()))
	p.field(2, in, "Remote addr/port", strings.Replace(g.KeyServer, ":", "/", 1))
	p.field(2, in, "fvrf/ivrf", g.vrf()+"/"+g.vrf())
	p.field(2, in, "Version", gmVersion)
	p.field(2, in, "Registration status", registration(g.State))
	p.field(2, in, "Registered with", g.registeredWith())
	p.field(2, in, "Re-registers in", g.reRegisters())
	p.field(2, in, "Succeeded registration", g.Registrations)
	p.field(2, in, "Attempted registration", g.Attempts)
	p.field(2, in, "Last rekey from", lastFrom(g.LastFrom))
	p.field(2, in, "Last rekey seq num", g.Sequence)
	received := "Unicast rekey received"
	if g.KEK != nil && g.KEK.Transport == string(policy.TransportMulticast) {
		received = "Multicast rekey rcvd"
	}
	p.field(2, in, received, g.Rekeys)
	p.field(2, in, "Rekey ACKs sent", g.Acks)
	p.field(2, in, "Rekey Received", age(g.now, g.LastRekey))
	p.field(2, in, "PFS Rekey received", 0)
	p.field(2, in, "DP Error Monitoring", "OFF")
	p.field(2, in, "IPSEC init reg executed", 0)
	p.field(2, in, "IPSEC init reg postponed", 0)
	p.field(2, in, "Active TEK Number", len(spis(g.SAs)))
	p.field(2, in, "SA Track (OID/status)", g.tracked())
	p.field(2, in, "Fail-Close Revert", map[bool]string{true: "Enabled", false: "Disabled"}[g.Modes.Revert])
	if !g.Modes.Removal.IsZero() {
		p.field(2, in, "KS Policy Removal in", fmt.Sprintf("%d sec", left(g.now, g.Modes.Removal)))
	}
	p.gap()
	g.allowable(p)
	p.gap()
}

// vrf is the name of the routing table of the interface.
func (g gmGroup) vrf() string {
	if g.cfg.VRF == "" || !g.owes(guardVRF) {
		return none
	}
	return g.cfg.VRF
}

// received is how the list that came from the key server is called, as long as the member has it.
func (g gmGroup) received() string {
	if len(g.SAs) == 0 && g.owes(guardListGone) {
		return none
	}
	return "gdoi_group_" + g.name + "_temp_acl"
}

func registration(state string) string {
	if state == "registered" {
		return "Registered"
	}
	return "Registering"
}

func (g gmGroup) registeredWith() string {
	if g.State != "registered" {
		return "0.0.0.0"
	}
	return host(g.KeyServer)
}

func (g gmGroup) reRegisters() string {
	if g.ReRegisters.IsZero() {
		return never
	}
	if !g.owes(guardSooner) {
		return fmt.Sprintf("%d sec", left(g.now, g.later()))
	}
	return fmt.Sprintf("%d sec", left(g.now, g.ReRegisters))
}

// later is the last end of a key.
func (g gmGroup) later() time.Time {
	last := g.RekeyExpiry
	for _, sa := range g.SAs {
		if sa.Expiry.After(last) {
			last = sa.Expiry
		}
	}
	return last
}

func lastFrom(address string) string {
	if address == "" {
		return "0.0.0.0"
	}
	return address
}

// allowable is what the member takes of what its key server offers.
func (g gmGroup) allowable(p *page) {
	const in = "       "
	var ciphers, hashes, transforms []string
	if g.owes(guardAllowable) {
		for _, c := range g.cfg.Client.Ciphers {
			ciphers = append(ciphers, c.Word())
		}
		for _, h := range g.cfg.Client.Hashes {
			hashes = append(hashes, h.Word())
		}
		for _, t := range g.cfg.Client.Transforms {
			transforms = append(transforms, transform(control.SADetail{Protocol: t.Protocol.Word(), Transform: t.Name()}))
		}
	}
	p.field(2, in, "allowable rekey cipher", cmp.Or(strings.Join(ciphers, " "), "any"))
	p.field(2, in, "allowable rekey hash", cmp.Or(strings.Join(hashes, " "), "any"))
	p.field(2, in, "allowable transformtag", cmp.Or(strings.Join(transforms, ", "), "any ESP"))
}

func (g gmGroup) cumulative(p *page) {
	const in = "       "
	p.head(1, "    ", "Rekeys cumulative")
	p.field(2, in, "Total received", g.Rekeys)
	p.field(2, in, "After latest register", g.since())
	p.field(2, in, "Rekey Acks sents", g.Acks)
	p.gap()
}

// since is how many rekeys have come since the member registered last.
func (g gmGroup) since() uint64 {
	if !g.owes(guardSince) {
		return g.Rekeys
	}
	return g.RekeysSince
}

// downloaded is the access list that came with the policy.
func (g gmGroup) downloaded(p *page) {
	from := "0.0.0.0"
	if len(g.SAs) > 0 {
		from = host(g.KeyServer)
	}
	p.head(1, " ", fmt.Sprintf("ACL Downloaded From KS %s:", from))
	var seen []string
	for _, sa := range g.SAs {
		if entry := aceOf("permit", sa.Detail); !slices.Contains(seen, entry) {
			seen = append(seen, entry)
			p.put(2, "   access-list   "+entry, "access-list", entry)
		}
	}
	p.gap()
}

func (g gmGroup) kek(p *page) {
	const in = "    "
	p.head(1, "", "KEK POLICY:")
	if k := g.KEK; k != nil {
		if !g.owes(guardLife) {
			g.RekeyExpiry = g.now.Add(time.Duration(k.Lifetime) * time.Second)
		}
		p.field(2, in, "Rekey Transport Type", capital(k.Transport))
		p.field(2, in, "Lifetime (secs)", left(g.now, g.RekeyExpiry))
		p.field(2, in, "Encrypt Algorithm", kekCipher(k))
		p.field(2, in, "Key Size", k.KeyBits)
		p.field(2, in, "Sig Hash Algorithm", sigHashes[k.SigHash])
		p.field(2, in, "Sig Key Length (bits)", 8*k.PublicKey)
	}
	p.gap()
}

// teks are the SAs that came last, newest first, and those of them that have ended.
func (g gmGroup) teks(p *page, device string) {
	p.head(1, "", "TEK POLICY for the current KS-Policy ACEs Downloaded:")
	p.head(2, "  ", device+":")
	seen := make(map[string]bool)
	if len(g.SAs) > 0 && !g.owes(guardLatest) {
		seen[g.SAs[0].SPI] = true
	}
	for _, sa := range slices.Concat(g.SAs, g.expired()) {
		if !seen[sa.SPI] {
			seen[sa.SPI] = true
			g.tek(p, sa)
		}
	}
	p.gap()
}

// expired are the SAs that came last and have ended.
func (g gmGroup) expired() []control.SA {
	if !g.owes(guardExpired) {
		return nil
	}
	return g.Expired
}

func (g gmGroup) tek(p *page, sa control.SA) {
	const in = "        "
	field := func(label, value string) { p.put(4, in+label+": "+value, label, value) }
	p.head(3, "    ", "IPsec SA:")
	if g.owes(guardForm) {
		field("spi", spiText(sa.SPI))
	} else {
		field("spi", "0x"+sa.SPI)
	}
	if !g.owes(guardLengths) {
		sa.Detail.KeyOctets, sa.Detail.IntegrityOctets = sa.Detail.IntegrityOctets, sa.Detail.KeyOctets
	}
	field("transform", transform(sa.Detail))
	field("sa timing:remaining key lifetime (sec)", g.timing(sa))
	method, value := g.replay(sa)
	p.put(4, in+method+" : "+value, method, value)
	field("tag method", tagMethod(sa.Replay))
	field("alg key size", fmt.Sprintf("%d (bytes)", sa.Detail.KeyOctets))
	field("sig key size", fmt.Sprintf("%d (bytes)", sa.Detail.IntegrityOctets))
	field("encaps", encaps(sa.Detail.Mode))
}

// timing is what is left of an SA, in brackets.
func (g gmGroup) timing(sa control.SA) string {
	if !g.now.Before(sa.Expiry) {
		return "expired"
	}
	return fmt.Sprintf("(%d)", left(g.now, sa.Expiry))
}

// replay is how repetitions of packets are found: as the SA says, or the member by itself.
func (g gmGroup) replay(sa control.SA) (method, value string) {
	switch r := sa.Replay; {
	case r != nil && r.Method == "time":
		return "Anti-Replay(Time Based)", replaySeconds(r.Window) + " sec interval"
	case r != nil && r.Method == "counter":
		return "Anti-Replay(Counter Based)", r.Window
	case r == nil && g.cfg.ReplayWindow > 0:
		return "Anti-Replay(Counter Based)", strconv.Itoa(g.cfg.ReplayWindow)
	}
	return "Anti-Replay", "Disabled"
}

// spis are the SAs by their SPIs, each once.
func spis(sas []control.SA) (all []string) {
	for _, sa := range sas {
		if !slices.Contains(all, sa.SPI) {
			all = append(all, sa.SPI)
		}
	}
	return all
}
