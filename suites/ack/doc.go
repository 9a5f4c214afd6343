// Package ack tests the acknowledgement of GROUPKEY-PUSH messages (RFC 8263): what a member sends, and what a key server
// makes of it.
package ack
