// Package natt tells apart what travels on UDP port 4500 (RFC 3948): ISAKMP messages behind a marker, ESP packets, and
// keepalives. It is there as gopacket layer too, for captures.
package natt
