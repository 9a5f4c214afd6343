package change

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// row is a row of the tables of changes: what is another, whether a rekey leaves at once, and what the next rekey has to show, be it
// that one or, if the change waits, one that an operator asks for.
type row struct {
	change string
	ids    []string
	first  func(*policy.Group) // nil: as it is
	alter  func(*policy.KeyServer)
	tells  bool
	forced control.RekeyArgs
	shows  func(capture.Message)

	message string // of the operator's log, that the change has to be told by
	reading string // what the device does where the guide leaves open what its first id demands
}

var rows = []row{
	{change: "the lifetime of its TEKs", ids: []string{"GETVPN-POLICY-01", "GETVPN-POLICY-25", "GETVPN-POLICY-33"},
		alter: ofSA(func(sa *policy.SAPolicy) { sa.Lifetime = 2 * time.Hour }),
		shows: is("SAT/SA Life Duration", "7200")},
	{change: "the transform of an SA", ids: []string{"GETVPN-POLICY-02", "GETVPN-POLICY-34", "GETVPN-POLICY-16"},
		alter: ofSA(func(sa *policy.SAPolicy) { sa.Transform = lab.CBC() }), tells: true,
		shows: is("SAT/Transform ID", "ESP_AES-GCM_16 (20)", "ESP_AES-CBC (12)")},
	{change: "the IPsec profile of an SA", ids: []string{"GETVPN-POLICY-03", "GETVPN-POLICY-45", "GETVPN-POLICY-16"},
		first: func(g *policy.Group) { g.SAs[0].IPsecProfile = "first" },
		alter: ofSA(func(sa *policy.SAPolicy) { sa.IPsecProfile = "second" }), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "that an SA has an IPsec profile", ids: []string{"GETVPN-POLICY-19"},
		alter: ofSA(func(sa *policy.SAPolicy) { sa.IPsecProfile = "first" }), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "that an SA has an IPsec profile no more", ids: []string{"GETVPN-POLICY-19"},
		first: func(g *policy.Group) { g.SAs[0].IPsecProfile = "first" },
		alter: ofSA(func(sa *policy.SAPolicy) { sa.IPsecProfile = "" }), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "the access list of an SA, by an entry more", ids: []string{"GETVPN-POLICY-04", "GETVPN-POLICY-17", "GETVPN-POLICY-46"},
		first: listed(permit(10)), alter: list(permit(10), permit(172)), tells: true,
		shows:   is("SAT/Source", subnet(10), subnet(10), subnet(172), subnet(172)),
		reading: "the rekey has the SA from before and a new one, both for the new list"},
	{change: "the access list of an SA, by an entry less", ids: []string{"GETVPN-POLICY-17", "GETVPN-POLICY-46"},
		first: listed(permit(10), permit(172)), alter: list(permit(172)), tells: true,
		shows: is("SAT/Source", subnet(172), subnet(172))},
	{change: "the access list of an SA, in one entry", ids: []string{"GETVPN-POLICY-17", "GETVPN-POLICY-46"},
		first: listed(permit(10), permit(172)), alter: list(permit(10), deny(172)), tells: true,
		shows: is("SAT/Source", subnet(10), subnet(10), subnet(172))},
	{change: "that an SA is receive-only", ids: []string{"GETVPN-POLICY-08", "GETVPN-SYSLOG-01"},
		alter: ofSA(func(sa *policy.SAPolicy) { sa.Transform.Direction = policy.DirectionReceiverOnly }), tells: true, message: "KS_CONV_SAS_INGRESS",
		shows: is("SAT/SA Direction", "receiver only (2)")},
	{change: "that an SA is receive-only no more", ids: []string{"GETVPN-POLICY-09", "GETVPN-SYSLOG-01"},
		first: func(g *policy.Group) { g.SAs[0].Transform.Direction = policy.DirectionReceiverOnly },
		alter: ofSA(func(sa *policy.SAPolicy) { sa.Transform.Direction = policy.DirectionSymmetric }), tells: true, message: "KS_CONV_SAS_DUPLEX",
		shows: is("SAT/SA Direction", "symmetric (3)")},
	{change: "that an SA has a window over counters", ids: []string{"GETVPN-POLICY-05", "GETVPN-POLICY-47", "GETVPN-POLICY-18"},
		first: replaying(policy.AntiReplay{Method: policy.ReplayNone}), alter: replay(policy.AntiReplay{Method: policy.ReplayCounter}), tells: true,
		shows: differ("SAT/SPI", 2), reading: "the SA from before stays active beside the new one until its lifetime ends"},
	{change: "the window over counters of an SA", ids: []string{"GETVPN-POLICY-06", "GETVPN-POLICY-48", "GETVPN-POLICY-22"},
		first: replaying(policy.AntiReplay{Method: policy.ReplayCounter}), alter: replay(policy.AntiReplay{Method: policy.ReplayCounter, Counter: 128}),
		shows: differ("SAT/SPI", 1)},
	{change: "that an SA has a window over counters no more", ids: []string{"GETVPN-POLICY-07", "GETVPN-POLICY-18"},
		first: replaying(policy.AntiReplay{Method: policy.ReplayCounter}), alter: replay(policy.AntiReplay{Method: policy.ReplayNone}), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "that an SA is protected by the pseudotime", ids: []string{"GETVPN-POLICY-49", "GETVPN-POLICY-18"},
		alter: replay(policy.AntiReplay{Method: policy.ReplayTime}), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "that an SA is protected by the pseudotime instead of a window over counters", ids: []string{"GETVPN-TBAR-16", "GETVPN-POLICY-49"},
		first: replaying(policy.AntiReplay{Method: policy.ReplayCounter}), alter: replay(policy.AntiReplay{Method: policy.ReplayTime}), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "the window around the pseudotime of an SA", ids: []string{"GETVPN-POLICY-50", "GETVPN-TBAR-16"},
		first: replaying(policy.AntiReplay{Method: policy.ReplayTime}), alter: replay(policy.AntiReplay{Method: policy.ReplayTime, Window: 50 * time.Second}),
		shows: differ("SAT/SPI", 1), reading: "no rekey leaves; the next one has the new window"},
	{change: "that an SA is protected by the pseudotime no more", ids: []string{"GETVPN-POLICY-18"},
		first: replaying(policy.AntiReplay{Method: policy.ReplayTime}), alter: replay(policy.AntiReplay{Method: policy.ReplayNone}), tells: true,
		shows: differ("SAT/SPI", 2)},
	{change: "the mode of an SA", ids: []string{"GETVPN-POLICY-16"},
		alter: ofSA(func(sa *policy.SAPolicy) {
			sa.Transform.Mode, sa.Transform.Preservation = policy.ModeTransport, policy.PreserveAbsent
		}), tells: true,
		shows: is("SAT/Encapsulation Mode", "tunnel (1)", "transport (2)")},
	{change: "how many SAs there are", ids: []string{"GETVPN-POLICY-16"},
		alter: func(c *policy.KeyServer) {
			sa := c.Groups[0].SAs[0]
			sa.Selector.Source, sa.Selector.Destination = network(172), network(172)
			c.Groups[0].SAs = append(c.Groups[0].SAs, sa)
		}, tells: true,
		shows: is("SAT/Source", subnet(10), subnet(172))},
	{change: "the lifetime of the KEK", ids: []string{"GETVPN-POLICY-10", "GETVPN-POLICY-25", "GETVPN-POLICY-39", "GETVPN-POLICY-55"},
		alter: ofRekey(func(r *policy.RekeyPolicy) { r.KEKLifetime = 2 * time.Hour }), forced: control.RekeyArgs{KEK: true},
		shows: is("SAK/KEK_KEY_LIFETIME", "7200"), reading: "the KEK that there is keeps its lifetime, the next one has the new"},
	{change: "the key that signs rekeys", ids: []string{"GETVPN-POLICY-11", "GETVPN-POLICY-43"},
		alter: func(c *policy.KeyServer) { c.SigningKey = signingKey("ks2") }, tells: true,
		shows: is("SAK/SIG_ALGORITHM", "RSA (1)")},
	{change: "the cipher of the KEK", ids: []string{"GETVPN-POLICY-12", "GETVPN-POLICY-44"},
		alter: ofRekey(func(r *policy.RekeyPolicy) { r.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256} }), tells: true,
		shows: is("SAK/KEK_KEY_LENGTH", "256"), reading: "another cipher of the KEK is told at once by a rekey, as both tables have it"},
	{change: "from multicast to unicast rekeys", ids: []string{"GETVPN-POLICY-20", "GETVPN-POLICY-37", "GETVPN-REKEY-29"},
		first: lab.Multicast,
		alter: ofRekey(func(r *policy.RekeyPolicy) { r.Transport, r.Address = policy.TransportUnicast, netip.AddrPort{} }), tells: true, message: "KS_REKEY_TRANS_2_UNI",
		shows: is("SAK/Destination", "ID_IPV4_ADDR 0.0.0.0")},
	{change: "from unicast to multicast rekeys", ids: []string{"GETVPN-POLICY-21", "GETVPN-POLICY-36", "GETVPN-REKEY-29"},
		alter: func(c *policy.KeyServer) { lab.Multicast(&c.Groups[0]) }, tells: true, message: "KS_REKEY_TRANS_2_MULTI",
		shows: is("SAK/Destination", "ID_IPV4_ADDR 239.192.1.1 port 848")},
	{change: "the address of multicast rekeys", ids: []string{"GETVPN-POLICY-38"},
		first: lab.Multicast,
		alter: ofRekey(func(r *policy.RekeyPolicy) { r.Address = netip.MustParseAddrPort("239.1.1.77:848") }), tells: true,
		shows: is("SAK/Destination", "ID_IPV4_ADDR 239.1.1.77 port 848")},
	{change: "the repetitions of rekeys", ids: []string{"GETVPN-POLICY-23", "GETVPN-POLICY-40"},
		alter: ofRekey(func(r *policy.RekeyPolicy) { r.Retransmit, r.Interval = 2, 10*time.Second }),
		shows: differ("SAT/SPI", 1)},
	{change: "the list of its members", ids: []string{"GETVPN-POLICY-27"},
		alter: func(c *policy.KeyServer) { c.Groups[0].Members = []netip.Prefix{lab.WAN} },
		shows: differ("SAT/SPI", 1)},
	{change: "a pre-shared key", ids: []string{"GETVPN-POLICY-29", "GETVPN-POLICY-30"},
		alter: func(c *policy.KeyServer) { c.Phase1.PSKs[0].Key = []byte("another key of the lab") },
		shows: differ("SAT/SPI", 1)},
	{change: "its policy of Phase 1", ids: []string{"GETVPN-POLICY-32"},
		alter: func(c *policy.KeyServer) {
			c.Phase1.Proposals = append([]policy.Proposal{policy.DefaultProposal}, c.Phase1.Proposals...)
		},
		shows: differ("SAT/SPI", 1)},
	{change: "the identity of the group", ids: []string{"GETVPN-POLICY-35"},
		alter: func(c *policy.KeyServer) { c.Groups[0].ID++ },
		shows: differ("SAT/SPI", 1)},
}

var _ = Describe("A key server of GET VPN whose policy changes while it runs", kit.Subject("change"), kit.DUT(rule.KS), func() {
	for n, r := range rows {
		text := "waits with its members when it changes "
		if r.tells {
			text = "tells its members at once when it changes "
		}
		It(text+r.change, kit.Requirement(r.ids...), kit.Row(n%6), func(ctx SpecContext) { r.happens(ctx) })
	}

	It("tells everything that one configuration changes by one rekey", kit.Requirement("GETVPN-POLICY-14", "GETVPN-POLICY-16"), func(ctx SpecContext) {
		s := group(ctx, 1, as)
		since := kit.Now(s.Lab)
		s.configure(func(c *policy.KeyServer) {
			c.Groups[0].SAs[0].Transform = lab.CBC()
			c.Groups[0].SAs[0].AccessList, c.Groups[0].SAs[0].Selector = []policy.ACE{permit(10), permit(172)}, policy.Selector{}
			c.Groups[0].Rekey.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256}
		})
		kit.Reached(s.leaves(since), "the change is told")
		s.Pass(ctx, atOnce)
		pushes := s.pushes(since)
		Expect(pushes).To(HaveLen(1), "one message for the member")
		is("SAK/KEK_KEY_LENGTH", "256")(pushes[0])
		Expect(values(pushes[0], "SAT/Transform ID")).To(ContainElement("ESP_AES-CBC (12)"))
		Expect(values(pushes[0], "SAT/Source")).To(ContainElement(subnet(172)))
	})
})

// happens changes the policy and looks at what leaves.
func (r row) happens(ctx SpecContext) {
	GinkgoHelper()
	first := r.first
	if first == nil {
		first = as
	}
	s := group(ctx, 1, first)
	since := kit.Now(s.Lab)
	s.configure(r.alter)
	Expect(s.leaves(since)).To(Equal(r.tells), "a rekey leaves at once")
	shown := kit.Last(s.pushes(since))
	if !r.tells {
		shown = s.forced(r.forced)
	}
	r.shows(shown)
	if r.message != "" && s.KS.Offers(peer.ReadLog) {
		Expect(s.KS.Messages(r.message)).To(HaveLen(1), "its operator is told")
	}
	if r.reading != "" {
		kit.Reading(r.ids[0], "%s", r.reading)
	}
	Expect(s.GM[0].AwaitLog(ctx, "REKEY_ACCEPTED", 0, atOnce)).To(BeTrue(), "a member takes it")
}

// is wants the fields at a path to have these values.
func is(path string, want ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(values(m, path)).To(Equal(want), "what the rekey says in %s", path)
	}
}

// differ wants so many fields at a path, no two alike.
func differ(path string, n int) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		all := values(m, path)
		Expect(all).To(HaveLen(n), "how many the rekey has of %s", path)
		if n == 2 {
			Expect(all[0]).NotTo(Equal(all[1]))
		}
	}
}

// replaying has the group's SA be protected so against repetition, replay changes it to that.
func replaying(a policy.AntiReplay) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].AntiReplay = a }
}

func replay(a policy.AntiReplay) func(*policy.KeyServer) {
	return func(c *policy.KeyServer) { c.Groups[0].SAs[0].AntiReplay = a }
}

func network(first byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{first}), 8)
}

func subnet(first byte) string {
	return "ID_IPV4_ADDR_SUBNET " + network(first).Addr().String() + "/255.0.0.0"
}

func permit(first byte) policy.ACE {
	return policy.ACE{Selector: policy.Selector{Source: network(first), Destination: network(first)}}
}

func deny(first byte) policy.ACE {
	e := permit(first)
	e.Deny = true
	return e
}

// listed has the group's SA have that access list.
func listed(entries ...policy.ACE) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].AccessList, g.SAs[0].Selector = entries, policy.Selector{} }
}

// list changes it to that.
func list(entries ...policy.ACE) func(*policy.KeyServer) {
	return func(c *policy.KeyServer) { listed(entries...)(&c.Groups[0]) }
}

func signingKey(name string) []byte {
	GinkgoHelper()
	der, err := lab.SigningKey(name)
	kit.Precondition(err, "there is another test key")
	return der
}
