// Package ike is Phase 1 of IKEv1 as GDOI uses it: Main Mode with a pre-shared key or with signatures, as initiator and as
// responder, and the protection that the established SA gives to a GROUPKEY-PULL or an Informational exchange.
//
//	1  I --> R  HDR, SA
//	2  R --> I  HDR, SA
//	3  I --> R  HDR, KE, Ni
//	4  R --> I  HDR, KE, Nr
//	5  I --> R  HDR*, IDii, HASH_I
//	6  R --> I  HDR*, IDir, HASH_R
//
// With signatures, messages 3 and 4 have certificate requests behind the nonce, and 5 and 6 certificates and SIG instead of HASH. What
// differs between the methods is a row (method); an exchange has one course for all of them. A certificate has to lead to one of
// Config.Credentials.Anchors at the time that is handed in, name the identity, and not be revoked.
//
// An Exchange is one Phase 1 in progress. It is handed datagrams and the time, and gives back datagrams and, once, an SA. A
// message that is refused leaves it as it was, so that the right one still completes it. A Stream is one exchange under an
// SA: it has a Message ID and a chain of IVs of its own, so several run side by side.
//
// Every outgoing message passes the Tap at three stages (see package core). What a tap changes at Built counts as what was
// sent: keys and HASHes are made from it. What it changes later reaches the wire, but not the state of this side. A Next
// Payload or Length that a tap sets in the header is left alone, a message whose E flag it clears leaves unencrypted, and
// each copy of a repeated message passes Sealed again.
//
// Config.Suites are the algorithms: AES-CBC and 3DES-CBC, MD5, SHA-1 and SHA-2, MODP and ECP groups. An initiator offers
// them as the transforms of one proposal in its order of preference. A responder takes the first transform of the offer
// that is one of its own suites, so that the initiator's order decides, unless Config.Prefer says otherwise.
//
// In Aggressive Mode (aggressive.go) the same payloads come in three messages, and a pre-shared key may be that of a name; Main Mode
// knows a peer by nothing but its address when it needs the key. An SA ends with the lifetime that was agreed, in seconds or
// kilobytes (lifetime.go), or when its peer gives no sign of life (dpd.go).
//
// Nothing here reads a clock or a global source of randomness, opens a socket or starts a goroutine. Config.Rand must not
// fail; a source that does ends the program, as crypto/rand would.
//
// Specifications: RFC 2409 §4, §5, §5.1, §5.4, §5.7 and appendices A and B; RFC 2408 §3, §4.5, §4.8 and §5; RFC 2407 §4.6.2, §4.6.3
// and §4.6.3.1; RFC 3526; RFC 3706; RFC 3947 §3 and §4, in Main Mode; RFC 3948 §2.2 and §2.3; RFC 4754; RFC 5280; RFC 5903; RFC 6407 §2.
// Not here: encryption with public keys.
package ike
