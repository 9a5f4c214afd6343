package lab

import (
	"cmp"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
)

// listener is a node that has joined a stream, on a link that carries it.
type listener struct {
	node  *memoryNode
	name  string
	place int
	core.Stream
}

// listen notes that a node has joined a stream. Only nodes whose packets could come there are noted.
func (n *memoryNet) listen(node *memoryNode, s core.Stream) {
	if !slices.Contains(n.plan.multicastLinks(node.name), cmp.Or(s.Interface, wanInterface)) {
		return
	}
	all := n.listeners[s.Group]
	at, _ := slices.BinarySearchFunc(all, node.place+1, func(l listener, place int) int { return l.place - place })
	if at < len(all) {
		all = slices.Clone(all) // somebody may be going through it
	}
	n.listeners[s.Group] = slices.Insert(all, at, listener{node, node.name, node.place, s})
}

// deafen notes that a node has left a stream.
func (n *memoryNet) deafen(node *memoryNode, s core.Stream) {
	n.listeners[s.Group] = slices.DeleteFunc(slices.Clone(n.listeners[s.Group]), func(l listener) bool {
		return l.node == node && l.Stream == s
	})
}

// deliverToGroup takes a packet to every node that wants it, once.
func (n *memoryNet) deliverToGroup(from string, ip Packet, packet []byte) {
	var last *memoryNode
	for _, l := range n.listeners[ip.Destination] {
		if l.name != from && l.node != last && (!l.Source.IsValid() || l.Source == ip.Source) {
			last = l.node
			l.node.receive(ip, packet)
		}
	}
}
