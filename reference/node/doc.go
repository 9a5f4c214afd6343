// Package node binds a protocol core to the world: UDP sockets, the real clock, a control socket for operators, a log
// and, for a group member, a data plane. The cores decide everything; a node only carries.
//
// One goroutine owns the core. It takes datagrams (port 848, RFC 6407 §2.2), operators' requests and the timer one by one
// and performs the effects in the order in which the core returned them. The packets of a data plane do not pass through
// it: they go from device to device under the lock that the owner also takes.
package node
