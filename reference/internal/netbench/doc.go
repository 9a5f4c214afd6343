// Package netbench measures how fast packets cross a pair of gateways in network namespaces: group members with ESP and with ESP
// in UDP, wireguard-go, strongSwan's userland ESP, and routers that protect nothing, all in one run and in turn. It has tests
// only; ci/bench-net.sh runs them.
//
//	h1 10.1.1.2 --- 10.1.1.1 [g1] 10.0.0.1 === 10.0.0.2 [g2] 10.1.2.1 --- h2 10.1.2.2
//
// Namespaces have no names and the gateways' processes end with the thread that started them, so that a killed run leaves nothing of
// them behind, only a folder of configurations among the temporary files.
package netbench
