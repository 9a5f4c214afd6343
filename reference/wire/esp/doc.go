// Package esp has the octets of an ESP packet that are in clear: the SPI and the sequence number (RFC 4303 §2). What
// follows is opaque here; reference/esp seals and opens it.
package esp
