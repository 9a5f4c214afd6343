// Package keymat derives, checks and applies the key material of GDOI over IKEv1 and of IKEv2: hashes and PRFs, Diffie-Hellman groups,
// the Phase 1 key schedule and its IVs, CBC encryption of ISAKMP messages, signatures of GROUPKEY-PUSH and the
// acknowledgement key.
//
// It knows octets, not messages: what a payload is made of comes from the caller. Nothing in here reads a clock or a
// global random source; randomness is an argument. Hashes and groups are rows of tables, under their IKEv1 numbers.
//
// Specifications: RFC 2409 §5, §6 and appendices A and B (key schedule, IVs, groups 1 and 2), RFC 3526 (MODP groups), RFC 5903
// (ECP groups), RFC 4868 (HMAC-SHA-2), RFC 6407 §4 and §5.3.6 (signature of a PUSH), RFC 4754 §7 and RFC 6979 (ECDSA),
// RFC 8263 §3.2 (acknowledgement), RFC 3947 §3.2 (NAT-D), NIST SP 800-38A (CBC); of IKEv2 RFC 7296 §2.13 to §2.18 and §3.14, RFC 5282, RFC 7427. Not here: keys of a Phase 1 that is
// authenticated by signatures or public keys.
package keymat
