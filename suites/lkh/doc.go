// Package lkh tests groups whose KEK is the root of a Logical Key Hierarchy (RFC 6407 §5.6.3, RFC 2627 §5.4): the keys that a
// member gets when it registers, the updates that bring it another KEK, acknowledgements that are keyed by its own key (RFC 8263
// §2.2), and what is left for a member that was excluded.
package lkh
