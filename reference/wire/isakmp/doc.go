// Package isakmp has the message format of IKEv1 and GDOI: the ISAKMP header, chains of payloads, and the payloads that
// Phase 1 uses (RFC 2408 §3, RFC 2409 §5, numbers of RFC 2407 §4; RFC 3947 for those about NAT). The data of identities is
// here too, for all payloads that have some (RFC 2407 §4.6.2, RFC 8052 §2.1).
//
// A Dialect says which layout a payload number has in an exchange: the SA payload of Phase 1 and that of GDOI are
// different, and package gdoi brings its own. Payloads without a layout are kept as Raw.
//
// Decoders judge structure only: an input that is short, a length under 4 or past the message, a chain that does not
// end. What a requirement forbids in meaning is kept visible, for the engines to judge. Everything decoded encodes to
// the same octets again, and aliases the input. Encoders do what they are told: Framed and the Generic, Reserved and
// Count fields override what would be filled in.
package isakmp
