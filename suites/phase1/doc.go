// Package phase1 tests IKEv1 Main Mode and Aggressive Mode with pre-shared keys and signatures as GDOI uses them, a key server as
// their responder and a group member as their initiator, and what the established SA does for the exchanges under it.
//
//	1  I --> R  HDR, SA
//	2  R --> I  HDR, SA
//	3  I --> R  HDR, KE, Ni
//	4  R --> I  HDR, KE, Nr
//	5  I --> R  HDR*, IDii, HASH_I
//	6  R --> I  HDR*, IDir, HASH_R
//
// Specifications: RFC 2407 §4.6.2, RFC 2408 §2.5, §3 and §5, RFC 2409 §4, §5 and appendices A and B, RFC 4754,
// RFC 5280, RFC 6407 §2 and §3.1.
package phase1
