// Package node binds a protocol core to the world: UDP sockets, the real clock, a control socket for operators, a log
// and, for a group member, a data plane. The cores decide everything; a node only carries.
//
// A lock owns the core. The readers of the sockets (port 848, RFC 6407 §2.2), the timekeeper and operators' requests take
// it for one event each, and perform the effects in the order in which the core returned them before they let go. The
// packets of a data plane go from device to device under the same lock.
package node
