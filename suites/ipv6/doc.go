// Package ipv6 tests groups whose key management, or whose traffic, is of IPv6: identities that are IPv6 addresses (RFC 2407
// §4.6.2, RFC 6407 §5.3, RFC 8263 §3.4), rekeys to a multicast group of IPv6, and ESP around IPv6 packets (RFC 5374 §3.1).
package ipv6
