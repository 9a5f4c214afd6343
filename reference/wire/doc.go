// Package wire reads and writes the octets that all the protocols here have in common: integers in network order with
// exact bounds, and the data attributes of ISAKMP (RFC 2408 §3.3).
//
// A Reader remembers its first error and the absolute offset where it happened, so that a decoder reads all its fields
// and asks once. Whatever is read aliases the input; who keeps a value longer than the input copies it.
// The package uses the standard library only.
package wire
