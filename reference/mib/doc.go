// Package mib shows a key server and a group member as CISCO-GDOI-MIB does (revision 2015-07-17, below 1.3.6.1.4.1.9.9.759): KeyServer
// and Member make a Table of what package control says of them, ordered as GETNEXT goes through it. Nothing in it can be written.
//
// Of the module it has the groups, the key server, the member, their KEKs and TEKs and the switches of notifications. The table of
// cooperating key servers is empty, since there is one. What the status does not have is as the module says of an unknown: no
// Diffie-Hellman group of a rekey, and 0 for a window that is not there.
package mib
