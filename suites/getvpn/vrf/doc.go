// Package vrf tests a member of GET VPN that has interfaces in several VRFs, as VRF-lite has it: one device, and in each VRF a group, a
// key server and hosts, whose addresses are those of the other VRF.
//
//	red:  h1 --.              .-- WAN -- gm2 -- h2, ks
//	            gm1 (device)
//	blue: h1 --'              '-- WAN -- gm2 -- h2, ks
package vrf
