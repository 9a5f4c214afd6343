// Package timers tests the times and numbers of Cisco GET VPN: when a key server replaces TEKs and KEKs and how often it sends each rekey,
// when a member goes over to a new TEK, and when it registers again since no rekey has come.
package timers
