// Package snmp is an SNMP agent without its socket: Answer takes a request as octets and makes the response, from the table of package
// mib as it is at that time. It speaks SNMPv2c (RFC 1901, RFC 3416) with a community, and SNMPv3 with users whose messages are
// authenticated and encrypted (RFC 3412, RFC 3414, RFC 3826). It answers GET, GETNEXT and GETBULK; whoever would set something is told
// that it cannot be written.
//
// Messages are taken apart, checked, made and encrypted by gosnmp. What an engine that answers has to decide is here: who it is, which
// reports it sends (RFC 3414 §3.2), and what a request gets (RFC 3416 §4.2).
package snmp
