// Package gdoi has the payloads of GDOI: policy (SA with SAK, GAP and SAT), keys (KD) and the sequence number (SEQ), as
// GROUPKEY-PULL, GROUPKEY-PUSH (RFC 6407 §3, §4, §5) and GROUPKEY-PUSH-ACK (RFC 8263) carry them.
//
// A SAT has the body of ESP and AH or that of IEC 61850 (RFC 8052 §2.2). The LKH arrays in a KD stay octets there, since their
// layout needs the KEK_KEY_LENGTH of the SAK: ParseLKHDownload and ParseLKHUpdate read them (RFC 6407 §5.6.3).
//
// The dialects Pull, Push and ACK read them. As in package isakmp, decoders judge structure only, what they return
// aliases the input, and it encodes to the same octets again. Payloads here are octets made readable; what they mean as
// group policy is the business of others.
package gdoi
