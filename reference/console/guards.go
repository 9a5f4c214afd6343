package console

import "github.com/gdoilab/gdoilab/reference/rule"

// What a console owes its operator.
var (
	guardMembers   = rule.Duty("console.ks.members", "GETVPN-SHOW-01", rule.KS, "every member of the group is listed")
	guardKEK       = rule.Duty("console.ks.kek_life", "GETVPN-SHOW-02", rule.KS, "what is left of the KEK counts down")
	guardNumber    = rule.Duty("console.ks.sequence", "GETVPN-SHOW-02", rule.KS, "the sequence number is that of the last rekey")
	guardNoSAs     = rule.Duty("console.ks.no_sa", "GETVPN-SHOW-06", rule.KS, "a key server has no Data-Security SA of its own")
	guardLife      = rule.Duty("console.gm.kek_life", "GETVPN-SHOW-03", rule.GM, "what is left of the KEK counts down")
	guardSooner    = rule.Duty("console.gm.re_registers", "GETVPN-SHOW-04", rule.GM, "the sooner of both ends says when the member registers again")
	guardVRF       = rule.Duty("console.gm.vrf", "GETVPN-VRF-01", rule.GM, "a group is shown with the VRF of its interface")
	guardOne       = rule.Duty("console.gm.one_group", "GETVPN-SHOW-05", rule.GM, "what is asked of one group is shown of no other")
	guardUse       = rule.Duty("console.gm.packets", "GETVPN-SHOW-06", rule.GM, "the packets under the SAs are counted")
	guardLatest    = rule.Duty("console.gm.latest", "GETVPN-SHOW-07", rule.GM, "the traffic keys that came last are shown")
	guardForm      = rule.Duty("console.gm.spi", "GETVPN-SHOW-08", rule.GM, "an SPI is shown in hexadecimal and decimal")
	guardLengths   = rule.Duty("console.gm.lengths", "GETVPN-SHOW-09", rule.GM, "the lengths are those of the keys of encryption and authentication")
	guardAllowable = rule.Duty("console.gm.allowable", "GETVPN-SHOW-17", rule.GM, "what the member takes of what is offered is shown")
	guardHandles   = rule.Duty("console.gm.handles", "GETVPN-SHOW-16", rule.GM, "rules are shown with their handles, and where those that deny lead")

	guardSince   = rule.Duty("console.gm.since", "GETVPN-ACK-05", rule.GM, "the rekeys since the latest registration are counted by themselves")
	guardExpired = rule.Duty("console.gm.expired", "GETVPN-SHOW-10", rule.GM, "a traffic key that came last and has ended is shown so")

	guardPseudotime   = rule.Duty("console.gm.pseudotime", "GETVPN-SHOW-12", rule.GM, "the pseudotime of a member is shown")
	guardKSPseudotime = rule.Duty("console.ks.pseudotime", "GETVPN-SHOW-12", rule.KS, "the pseudotime of a key server is shown")
	guardClearReplay  = rule.Duty("console.gm.clear_replay", "GETVPN-SHOW-13", rule.GM, "the replay counters are cleared when an operator asks for it")
	guardCounters     = rule.Duty("console.gm.replay_counters", "GETVPN-SHOW-14", rule.GM, "the packets that anti-replay has looked at are counted")
	guardActivate     = rule.Duty("console.gm.fail_close", "GETVPN-SHOW-15", rule.GM, "whether fail-close is active is shown")

	guardRekeyAuth = rule.Duty("console.rekey_auth", "GETVPN-REKEY-25", rule.Both, "a Rekey SA is shown with the signature that authenticates its messages")
	guardPassive   = rule.Duty("console.gm.passive", "GETVPN-PASSIVE-07", rule.GM, "the rule for what comes in under an SA stands ahead of that of the crypto map")
	guardListGone  = rule.Duty("console.gm.list_gone", "GETVPN-ACL-07", rule.GM, "the list that came from the key server is shown as long as the member has it")

	guardClearKS = rule.Duty("console.ks.clear", "GETVPN-POLICY-13", rule.KS, "a key server that is cleared has its members register again")
	guardClearGM = rule.Duty("console.gm.clear", "GETVPN-POLICY-13", rule.GM, "a member that is cleared registers again")
	guardTold    = rule.Duty("console.ks.clear_told", "GETVPN-SYSLOG-05", rule.KS, "that a key server was cleared is logged")

	guardCondition = rule.Duty("console.debug.condition", "GETVPN-DEBUG-03", rule.Both, "debugging tells of the peers alone that were asked for")
	guardOrder     = rule.Duty("console.trace.order", "GETVPN-DEBUG-04", rule.Both, "the last events are kept in their order")
)

// kept reports whether the node meets an obligation.
func (c *Console) kept(g *rule.Guard) bool { return g.Kept(c.opts.Rules) }
