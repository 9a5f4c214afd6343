// Package rekey tests GROUPKEY-PUSH (RFC 6407 §4, §5.9): what a member does with right and wrong messages, and what a key
// server sends, to whom and when. Numbers are the subject of suites/sequence, acknowledgements that of suites/ack.
package rekey
