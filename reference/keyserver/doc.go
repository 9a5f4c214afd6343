// Package keyserver is the key server of GDOI over IKEv1: it answers Phase 1 and the GROUPKEY-PULL by which members
// register, sends GROUPKEY-PUSH when a group changes, and takes the members' acknowledgements.
//
//	GM --> KS  1  HDR*, HASH(1), Ni, ID
//	KS --> GM  2  HDR*, HASH(2), Nr, SA
//	GM --> KS  3  HDR*, HASH(3) [, GAP]
//	KS --> GM  4  HDR*, HASH(4) [, SEQ], KD
//
//	KS --> GMs    HDR*, SEQ, [D,] [SA, KD,] SIG
//	GM --> KS     HDR, HASH, SEQ, ID
//
// It is one carrier of what package group decides, and decides nothing about a group itself. A datagram finds its place
// by its cookies: those of a Phase 1, established or not, or those of a Rekey SA. One with other cookies is refused at
// once. A message that is refused changes nothing: the right one is still taken after it.
//
// Nothing here reads a clock or a global source of randomness, opens a socket or starts a goroutine; see package core.
//
// Specifications: RFC 6407 §3 and §4 as key server, RFC 8263 §3 to §6, RFC 2408 §4.8.
package keyserver
