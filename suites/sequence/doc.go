// Package sequence tests the numbers of GROUPKEY-PUSH messages: how a key server counts and what a group member accepts
// (RFC 6407 §3.2, §4.3, §4.4, §5.7).
package sequence
