// Package policy holds the plain values of a group: what is protected, with which algorithms and keys, for how long.
//
// They belong to the group and not to the protocol that carries them: a Download is what a member gets when it
// registers, a Rekey is what changes later, whichever message brings it (RFC 6407 §3 and §4 are one carrier). Nothing in
// here encodes, sends or reads a clock.
package policy
