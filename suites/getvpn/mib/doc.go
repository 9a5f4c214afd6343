// Package mib tests what devices of Cisco GET VPN show of themselves by SNMP in CISCO-GDOI-MIB, above all the number of keys that a member
// has, and the tracked object by which routes follow that number.
package mib
