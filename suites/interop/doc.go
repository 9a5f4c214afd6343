// Package interop has IKE daemons that somebody else wrote take the other side of the reference's Phase 1. They know nothing of
// GDOI, so both sides speak in the DOI of IPsec. What is under test is the reference's own code, in a node of the tester's that
// does nothing else: another device ends these specs as unsupported.
//
// Hosts with ESP that somebody else wrote take the place of a member and of the host behind it. There any device is under test that is
// a group member; in the specs that say "the reference" it is the reference's own code again.
//
// The programs come as Debian packages that ci/setup.sh unpacks below out/peers; fixtures/peers/ike and fixtures/peers/esp say how
// each is started and told. They run in a namespace of the lab with mounts of their own.
//
// Specifications: RFC 2407 §4, RFC 2408 §3.15, RFC 2409 §4, §5 and appendices A and B, RFC 3706 §5 and §6, RFC 4303 §2, §3 and
// appendix A, RFC 4754.
package interop
