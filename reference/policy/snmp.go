package policy

import (
	"net/netip"
	"time"
)

// SNMP is a node's agent for CISCO-GDOI-MIB. It answers and changes nothing.
type SNMP struct {
	Listen    netip.AddrPort   // port 161 unless said
	Community string           // of SNMPv2c; empty: SNMPv3 only
	Users     []SNMPUser       // of SNMPv3
	Traps     []netip.AddrPort // who is notified, by SNMPv2c; port 162 unless said
}

// SNMPUser is a user of SNMPv3, whose messages are authenticated and encrypted, in AES-128 (RFC 3826).
type SNMPUser struct {
	Name     string
	Hash     SNMPHash
	Password string // of authentication
	Privacy  string // and of encryption
}

// SNMPHash is what a user's messages are authenticated with.
type SNMPHash uint8

// The hashes: SHA-1 (RFC 3414), and those of RFC 7860.
const (
	SNMPSHA1 SNMPHash = iota
	SNMPSHA256
	SNMPSHA512
)

// Track follows whether a member has a key for the group's traffic, for whoever chooses routes by it: UP while it has one, DOWN
// while it has none.
type Track struct {
	Number    int           // of the tracked object
	DelayUp   time.Duration // a key has to be there so long before the object is UP
	DelayDown time.Duration // and to be missing so long before it is DOWN
	Hook      []string      // a command to run at each change, with its arguments; empty: none
}
