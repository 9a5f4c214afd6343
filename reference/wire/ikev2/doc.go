// Package ikev2 has the message format of IKEv2: the numbers of its header, chains of payloads, and the payloads that its base
// exchanges use (RFC 7296 §3, RFC 7427 §3, RFC 7383 §2.5).
//
// Header and generic payload header have the octets that ISAKMP gave them, so they are read and written by package isakmp: the cookies
// are the SPIs of the IKE SA, and what was reserved in the generic header has the critical bit. Payloads without a layout here, such
// as CP and EAP, are kept as isakmp.Raw.
//
// Decoders judge structure only. Everything decoded encodes to the same octets again, and aliases the input. Encoders do what they are
// told: the Reserved and Count fields, and isakmp.Framed, override what would be filled in.
package ikev2
