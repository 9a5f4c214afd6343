package control

// The commands of a member of GET VPN about the interface to the network: what it protects there, and whether it is in its groups, comes and
// goes with their policy on it. Arguments: GroupArgs; answer: {}.
const (
	Attach = "attach" // put the policy on the interface: register
	Detach = "detach" // take it off: leave the group, and no longer protect its traffic
)
