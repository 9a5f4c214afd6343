// Package metadata has the header that a GET VPN member puts between ESP and the packet that it protects: with the sender's
// pseudotime, or with the tag of a security group. Cisco has published neither its layout nor its protocol number; this layout
// is ours, and docs/getvpn.md describes it.
//
//	ESP | Metadata (pseudotime) | Metadata (tag) | inner packet
//
// Several headers stand one behind another, each naming what follows it.
package metadata
