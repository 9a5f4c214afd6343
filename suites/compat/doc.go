// Package compat has specs for the switches by which the reference gets along with GDOI daemons that are older than RFC 6407 or read
// it in their own way. All of them are off unless a configuration says so, and what a node refuses without them is tested elsewhere.
package compat
