// Package registration tests GROUPKEY-PULL, by which a member gets into a group (RFC 6407 §3), and the payloads that it
// carries (RFC 6407 §5):
//
//	GM --> KS  1  HDR*, HASH(1), Ni, ID
//	GM <-- KS  2  HDR*, HASH(2), Nr, SA
//	GM --> KS  3  HDR*, HASH(3) [, GAP]
//	GM <-- KS  4  HDR*, HASH(4) [, SEQ], KD
//
// The files gm_*.go judge a group member, to which the tester is a key server whose messages 2 and 4 are wrong; ks_*.go
// judge a key server.
package registration
