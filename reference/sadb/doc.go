// Package sadb holds the Data-Security SAs of a group member: which one a received packet belongs to (RFC 4303 §2.1), under
// which one a packet is sent, and when each starts and ends (RFC 5374 §4.2.1).
//
//	install                 SendFrom               SendUntil            Expiry
//	   |  receives only         |  sends and receives  |  receives only    |  gone
//
// Old and new SAs live side by side. A sender moves to the newest that has become active and never goes back.
package sadb
