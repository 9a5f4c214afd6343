package console

import (
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// group is the word "group" with a name and what may follow that.
func group(do func(*call) error, next ...*word) *word {
	return keyword("group", "Group", parameter("WORD", "Group name", anything, do, next...))
}

// keyServerCommands are those of a key server.
func keyServerCommands() []*word {
	ks := func() *word {
		return command("ks", "Key server", showKSBox, append(ksViews(), command("detail", "Everything", showKSBox))...)
	}
	feature := keyword("feature", "Which versions know a feature", parameter("WORD", "Name of the feature", isFeature, func(in *call) error {
		groups, err := in.ksGroups()
		for _, g := range groups {
			showFeature(in, g)
		}
		return err
	}))
	show := either("Group Domain of Interpretation", eachKS(showKS), ks(), group(eachKS(showKS), ks()), feature,
		command("detail", "Everything", eachKS(showKS)))
	tech := several(showKSBox, eachKS(showKS), eachKS(showKSPolicy), eachKS(showMembers), eachKS(showKSACL), showTrace)
	return append(common(),
		keyword("show", "Show running system information", append(shown(),
			command("tech-support", "Everything", tech),
			keyword("crypto", "Encryption module", append(show,
				isakmpWords(),
				keyword("ipsec", "IPsec", command("sa", "Security associations", showNoSAs)))...))...),
		privileged(keyword("clear", "Reset functions", keyword("crypto", "Encryption module", clearKS()...))),
		privileged(keyword("crypto", "Encryption related commands", rekeyCommands()...)))
}

func isFeature(text string) bool { _, known := features[text]; return known }

// ksViews are what there is to see of the groups of a key server.
func ksViews() []*word {
	return []*word{
		command("members", "Group members", eachKS(showMembers), command("summary", "In short", eachKS(showSummary)),
			parameter("A.B.C.D", "Address of a member", isAddress, showOneMember)),
		command("rekey", "Rekey policy", eachKS(showKSRekey)),
		command("policy", "Policy", eachKS(showKSPolicy)),
		command("acl", "Access lists", eachKS(showKSACL)),
		command("replay", "Anti-replay", eachKS(showKSReplay)),
		command("identifier", "Sender identifiers", eachKS(showIdentifier)),
	}
}

// showNoSAs is "show crypto ipsec sa" of a key server, which forwards no traffic of its groups.
func showNoSAs(in *call) error {
	if !in.console.kept(guardNoSAs) {
		in.page.put(0, "     spi: 0x1(1)")
	}
	in.page.put(0, "No SAs found")
	return nil
}

// clearKS are the words behind "clear crypto" of a key server.
func clearKS() []*word {
	return either("Group Domain of Interpretation", clearGroups,
		group(clearGroups, keyword("ks", "Key server", command("members", "Remove all members", clearGroups, command("now", "At once", clearGroups)))),
		keyword("ks", "Key server", command("members", "Remove all members", clearGroups, command("now", "At once", clearGroups))))
}

// clearGroups removes the keys and the members of groups: everybody is told to delete what he has, and registers again.
func clearGroups(in *call) error {
	groups, err := in.ksGroups(in.args...)
	if err != nil || !in.confirmed() {
		return err
	}
	for _, g := range groups {
		if in.console.kept(guardTold) {
			in.console.tell(in.now, getvpn.KSClearRegister, core.Field{Name: "group", Value: g.Name})
		}
		if !in.console.kept(guardClearKS) {
			continue
		}
		if err := in.console.ask(in.now, control.Rekey, control.RekeyArgs{Group: g.ID, DeleteAll: true}, nil); err != nil {
			return err
		}
	}
	return nil
}

// rekeyCommands are the words behind "crypto" of a key server.
func rekeyCommands() []*word {
	rekey := func(what control.RekeyArgs) func(*call) error {
		return func(in *call) error { return in.rekey(what) }
	}
	return either("Group Domain of Interpretation", nil,
		keyword("ks", "Key server", command("rekey", "Send a rekey now", rekey(control.RekeyArgs{}),
			command("replace-now", "Replace all keys at once", rekey(control.RekeyArgs{KEK: true})),
			group(rekey(control.RekeyArgs{})))))
}

// rekey sends a rekey to the groups that the line names.
func (in *call) rekey(what control.RekeyArgs) error {
	groups, err := in.ksGroups(in.args...)
	for _, g := range groups {
		what.Group = g.ID
		if err := in.console.ask(in.now, control.Rekey, what, nil); err != nil {
			return err
		}
	}
	return err
}

// memberCommands are those of a group member.
func memberCommands() []*word {
	gm := func() *word { return command("gm", "Group member", eachGM(showGMOnly), gmViews()...) }
	sas := func() *word {
		return keyword("ipsec", "IPsec", command("sa", "Security associations", eachGM(showGroupSAs)))
	}
	show := either("Group Domain of Interpretation", eachGM(showGM), gm(), sas(), group(eachGM(showGM), gm(), sas()),
		command("detail", "Everything", eachGM(showGM)))
	tech := several(eachGM(showGM), eachGM(showGroupSAs), showIPsecSA, showMap, showRuleset(true), showCounters, showTrace)
	return append(common(),
		keyword("show", "Show running system information", append(shown(),
			command("tech-support", "Everything", tech),
			keyword("crypto", "Encryption module", append(show,
				isakmpWords(),
				keyword("ipsec", "IPsec", command("sa", "Security associations", showIPsecSA)),
				command("map", "Crypto maps", showMap, keyword("gdoi", "GDOI", command("fail-close", "What passes before the registration", showFailClose,
					parameter("WORD", "Name of the crypto map", anything, showFailClose)))),
				command("ruleset", "Rules of packets", showRuleset(false), command("detail", "With handles", showRuleset(true))))...))...),
		privileged(keyword("clear", "Reset functions", keyword("crypto", "Encryption module", clearGM()...))),
		privileged(keyword("crypto", "Encryption related commands", directionCommands()...)))
}

// directionCommands are the words behind "crypto" of a member.
func directionCommands() []*word {
	return either("Group Domain of Interpretation", nil, keyword("gm", "Group member", keyword("ipsec", "IPsec", keyword("direction", "Direction of the SAs",
		command("both", "Both directions", direct(policy.UsageBoth.String())),
		keyword("inbound", "Inbound", command("optional", "Clear packets may come in", direct(policy.UsageInboundOptional.String())))))))
}

// gmViews are what there is to see of the groups of a member.
func gmViews() []*word {
	return []*word{
		command("acl", "Access lists", eachGM(showACL), command("local", "Those of its own", eachGM(showLocalACL))),
		keyword("dataplane", "Packets", command("counters", "Counters", showCounters)),
		command("rekey", "Rekeys", eachGM(showGMRekey), command("detail", "Everything", eachGM(showGMRekey))),
		command("replay", "Anti-replay", eachGM(showGMReplay)),
	}
}

// clearGM are the words behind "clear crypto" of a member.
func clearGM() []*word {
	return append(either("Group Domain of Interpretation", clearMember,
		group(clearMember, command("replay", "Anti-replay counters", clearReplay))),
		command("sa", "Security associations", func(in *call) error { return in.console.ask(in.now, control.Clear, control.GroupArgs{}, nil) }))
}

// clearMember has a member forget the keys of groups and register again.
func clearMember(in *call) error {
	groups, err := in.gmGroups(in.args...)
	if err != nil || !in.confirmed() || !in.console.kept(guardClearGM) {
		return err
	}
	for _, g := range groups {
		if err := in.console.ask(in.now, control.Clear, control.GroupArgs{Group: g.Group}, nil); err != nil {
			return err
		}
	}
	return nil
}
