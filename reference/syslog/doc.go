// Package syslog writes a core's log lines in the form of RFC 5424, for a node's log file or syslog server, and for the
// harness, which reads the same lines from every device.
//
// MSGID carries the line's tag, and one structured data element the rest:
//
//	<132>1 2026-01-01T00:00:01.000000Z ks gdoi - REFUSED [gdoi@32473 requirement="RFC6407-4.4-02" guard="…"] text
//
// 32473 is the enterprise number that RFC 5612 reserves for documentation.
package syslog
