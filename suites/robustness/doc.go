// Package robustness has the specs about devices under a load that nobody honest would put on them: floods of first messages of
// Phase 1 and of PULLs at a key server, of rekey messages that nobody signed and of packets of unknown SAs at a member. What
// a device keeps for strangers is bounded, and whoever is in the right is served in their midst (RFC 6407 §7.2.5).
//
// Floods are as large as a spec can be quick. The packages of the reference have tests of larger ones that count what is kept.
package robustness
