// Package membership tests in which multicast groups a member is, by what it reports on its link: IGMP for IPv4, MLD for
// IPv6 (RFC 3376, RFC 3810). It joins the group that its SAK names (RFC 6407 §5.3), and leaves that of a Rekey SA that it no
// longer has.
package membership
