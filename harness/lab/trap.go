package lab

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/mib"
)

// trapReceiver is whom a device notifies that can be told so: somebody in its own namespace.
var trapReceiver = netip.MustParseAddrPort("127.0.0.1:1162")

// notifying is a node whose traps are gathered.
type notifying interface {
	// traps are the messages so far, as they came.
	traps() [][]byte
}

// Notified is a notification of CISCO-GDOI-MIB that a device has sent.
type Notified struct {
	mib.Notification
	Objects Shows // that it carries
}

// Notifications are those of the device so far, in the order in which they came.
func (p *Peer) Notifications() (all []Notified) {
	node, ok := p.node.(notifying)
	if !ok || p.Can(peer.ReadSNMP) != nil {
		return nil
	}
	for _, message := range node.traps() {
		if n, ok := readTrap(message); ok {
			all = append(all, n)
		}
	}
	return all
}

// AwaitNotification waits for one of that number, and returns the first.
func (p *Peer) AwaitNotification(ctx context.Context, n mib.Notification, limit time.Duration) (found Notified, ok bool) {
	ok = p.lab.Wait(ctx, limit, func() bool {
		all := p.Notifications()
		i := slices.IndexFunc(all, func(have Notified) bool { return have.Notification == n })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found, ok
}

// trapHead is how many bindings stand in front of the objects of a trap: how long the device has been up, and which it is (RFC 3416 §4.2.6).
const trapHead = 2

// readTrap reads a trap of SNMPv2c. It is not ok for what is none of the module.
func readTrap(message []byte) (n Notified, ok bool) {
	reader := gosnmp.GoSNMP{Version: gosnmp.Version2c}
	trap, err := reader.UnmarshalTrap(slices.Clone(message), false)
	if err != nil || trap.PDUType != gosnmp.SNMPv2Trap || len(trap.Variables) < trapHead {
		return n, false
	}
	name, _ := trap.Variables[1].Value.(string)
	o, ok := mib.ParseOID(name)
	below := slices.Concat(mib.Root, mib.OID{0})
	if !ok || !o.In(below) || len(o) != len(below)+1 {
		return n, false
	}
	n.Notification = mib.Notification(o[len(o)-1])
	for _, b := range trap.Variables[trapHead:] {
		if i, ok := instance(b); ok {
			n.Objects = append(n.Objects, i)
		}
	}
	return n, true
}
