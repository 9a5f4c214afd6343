// Package acl tests the access lists of Cisco GET VPN: that of a group, which its key server tells its members in order, and that of a
// member, which stands ahead of it.
package acl
