// Package routing tests what a member of GET VPN means to routing: since addresses are preserved, any gateway that a route leads to can
// take a packet of the group, and one without keys has to be led round.
//
//	        gm1 (device)
//	h1 --<              >-- WAN -- gm3 -- h3
//	        gm2
package routing
