// Package natt proves NAT traversal (RFC 3947, RFC 3948) of key management: how a NAT is found, the change to port 4500, the
// marker there, what happens when a NAT moves a member to another port, and keepalives. The first member registers through a NAT of the
// lab, which gives everything that it sends another address and port. The other subject is the group's traffic in UDP on the same port.
package natt
