// Package membership tests how members of a group of profile getvpn come, stay and go: registration, delivery of rekeys by unicast and by
// multicast, acknowledgements, ejection of who is silent, and the one SA that all of them share. What the exchanges have to be octet by
// octet is tested under RFC 6407.
//
//	GM  <==>  KS    Phase 1, and GROUPKEY-PULL of four messages under it
//	KS   -->  GM    GROUPKEY-PUSH to each member, or once to the multicast group
//	GM   -->  KS    GROUPKEY-PUSH-ACK, of a PUSH by unicast alone
//	GM  <-->  GM    ESP between the addresses of their hosts
package membership
