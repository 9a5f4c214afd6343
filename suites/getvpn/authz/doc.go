// Package authz tests whom a key server of GET VPN lets into a group: authentication by Phase 1 says who a member is, authorization by
// the group's lists whether it may have the group's policy. An address is looked for in the list of addresses alone, a name in that of
// identities.
package authz
