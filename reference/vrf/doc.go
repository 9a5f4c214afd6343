// Package vrf makes one device of several group members, each in a routing table (VRF) of its own, as VRF-lite has it: the members
// share the program, its log and its console, and neither keys nor policy nor packets.
package vrf
