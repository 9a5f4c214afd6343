package policy

import (
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// denies are the words for what an entry of an access list does.
var denies = yamldoc.Names[bool]{{"permit", false}, {"deny", true}}

// accessList is the name of the field, which is refused where it is not for the profile.
const accessList = "access_list"

// flowFields are those of an SA that say which packets it protects: a selector and others, or an access list.
func flowFields(v yamldoc.Value, s *SAPolicy) []yamldoc.Field {
	profile := yamldoc.Optional("ipsec_profile", &s.IPsecProfile, nodeName)
	if v.Has(accessList) {
		return []yamldoc.Field{yamldoc.Required(accessList, &s.AccessList, saAccessList), profile}
	}
	return append(selectorFields(&s.Selector), yamldoc.Optional("also", &s.Also, yamldoc.List(selector)), profile)
}

// saAccessList reads the list of an SA, which has to protect something.
func saAccessList(v yamldoc.Value) []ACE {
	list := aceList(v)
	if len(list) > 0 && len(Permitted(list)) == 0 {
		v.Problem("there is no permit entry, so that the SA would protect nothing")
	}
	return list
}

func aceList(v yamldoc.Value) []ACE { return yamldoc.Some("entry", ace)(v) }

func ace(v yamldoc.Value) ACE {
	var e ACE
	if v.Fields(append(selectorFields(&e.Selector), yamldoc.Required("action", &e.Deny, denies.Read))...) {
		checkSelector(v, e.Selector)
		checkAHP(v, e.Selector)
	}
	return e
}

// checkAHP refuses AH in an entry of IPv6.
func checkAHP(v yamldoc.Value, s Selector) {
	if s.Protocol == ProtocolAHP && s.Source.IsValid() && s.Source.Addr().Is6() {
		v.Problem("an access list of IPv6 cannot name AH; leave out protocol %d", ProtocolAHP)
	}
}

// denyProtocol reads a Protocol-ID of the range for private use (RFC 6407 §5.5).
func denyProtocol(v yamldoc.Value) uint8 { return uint8(v.Uint(128, 255)) }

// checkChangeFields refuses in a group what only the profile of GET VPN has.
func checkChangeFields(p Profile, g place[Group]) {
	if p == ProfileGETVPN {
		return
	}
	for i, sa := range g.value.SAs {
		if len(sa.AccessList) > 0 {
			onlyGETVPN(g.at, i, accessList)
		}
		if sa.IPsecProfile != "" {
			onlyGETVPN(g.at, i, "ipsec_profile")
		}
	}
	if g.value.DenyProtocol != 0 {
		g.at.Problem("the field \"deny_protocol\" is for profile %s", ProfileGETVPN)
	}
}

func onlyGETVPN(group yamldoc.Value, sa int, field string) {
	group.Problem("the field %q of SA %d is for profile %s", field, sa+1, ProfileGETVPN)
}
