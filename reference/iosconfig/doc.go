// Package iosconfig reads the configuration of a key server or group member of GET VPN as routers have it, and makes the same
// policy of it as package policy makes of YAML.
//
// A line belongs to the innermost mode in which there is such a command, as on a router: indentation does not matter, and "exit"
// and "!" are not needed. What no mode knows is a problem with its line, or by choice a warning. So is what routers know and the
// policy has no field for. The keys of "rekey authentication mypubkey rsa LABEL" are in LABEL.pem beside the configuration, and
// the certificates of "crypto pki trustpoint NAME" in NAME-chain.pem, NAME-key.pem and NAME-ca.pem.
//
// Where a router has a default that differs from ours, the router's counts: a KEK is one of 3DES unless "rekey algorithm" says
// otherwise, and Phase 1 is checked with signatures unless "authentication pre-share" is said. A rekey is signed with SHA-256 unless
// "rekey sig-hash algorithm" names another hash, because RFC 6407 does not let members take SHA-1.
package iosconfig
