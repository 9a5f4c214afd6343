// Package sadb holds the Data-Security SAs of a group member: which one a received packet belongs to (RFC 4303 §2.1), under
// which one a packet is sent, and when each starts and ends (RFC 5374 §4.2.1).
//
//	Install                 SendFrom                 SendTill               Expiry
//	   |  receives             |  receives and sends    |  receives            |  gone
//
// Old and new SAs live side by side. A sender moves to the newest as soon as it is active and never goes back, whatever
// becomes of the new one.
//
// An SA is an SPI with its keys; an Entry is an SA as one selector uses it. If a key server hands out the same SPI and
// keys for several selectors, their entries share the sequence numbers and IVs of one SA.
package sadb
