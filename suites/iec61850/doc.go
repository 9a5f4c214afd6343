// Package iec61850 tests what a group has for devices of IEC 61850, which protect their own messages and want nothing but keys
// (RFC 8052): groups that an object identifier names, SATs of their own kind and the keys that go with them.
//
//	GM --> KS  1  HDR*, HASH(1), Ni, ID (type 13)
//	GM <-- KS  2  HDR*, HASH(2), Nr, SA (SATs of Protocol-ID 3)
//	GM <-- KS  4  HDR*, HASH(4), SEQ, KD (TEK packets)
//
// There is no traffic that would show what a member has taken: it is asked for its state.
package iec61850
