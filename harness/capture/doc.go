// Package capture keeps what crossed the wires of a lab and makes it readable: packets to and from pcapng, the keys
// beside them in the form that Wireshark loads, and whole conversations decoded and decrypted.
//
// Decode reads Phase 1 (RFC 2409), GROUPKEY-PULL and PUSH (RFC 6407 §3 and §4), the PUSH acknowledgement (RFC 8263) and
// ESP (RFC 4303). With the keys that the nodes logged it opens what is encrypted and checks what is authenticated: each
// HASH, SIG and ICV is stated as ok, bad or unchecked. It believes nothing it reads: any frame gives a Message, and a
// frame that breaks a layout gives one whose Err says where.
package capture
