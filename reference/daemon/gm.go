package daemon

import (
	"crypto/rand"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/console"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/dataplane"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/vrf"
)

var groupMember = program{
	name:  "gdoi-gm",
	short: "GDOI group member and gateway",
	long: `gdoi-gm is a GDOI group member (RFC 6407, RFC 8263): it registers with a key server, follows the group's rekeys, and
protects the traffic of the networks behind it with ESP (RFC 4303, RFC 5374).

Packets pass through two TUN devices and policy routing, which needs root or CAP_NET_ADMIN. The interfaces are found by
their addresses: outside is the one with the configured address, inside are those with an address in the networks that
the configuration lists under "inside". A member that has no inside interface only follows the group.

It runs until SIGINT or SIGTERM; then devices, rules and settings are as they were before. With --control it answers the
commands status, register, clear and reload, and as a member of GET VPN attach and detach.`,
	example: `  gdoi-gm --config gm.yaml --control /run/gdoi-gm.sock
  gdoi-gm status --control /run/gdoi-gm.sock --json`,
	flags: func(root *cobra.Command, o *options) {
		root.Flags().StringArrayVar(&o.inside, "inside", nil, "inside interface by `name`; may be repeated (default: found by address)")
		root.Flags().BoolVar(&o.udpChecksum, "udp-checksum", false, "ESP in UDP over IPv4 leaves with a checksum, many packets at once; RFC 3948 wants none")
		root.Flags().BoolVar(&o.batch, "batch", false, "be scheduled as a batch process (sched(7)): more of a stream, single packets later")
	},
	build: buildMember,
	commands: []command{
		statusCommand(printMember),
		groupCommand("register", "register again now; keys in use stay until they are replaced"),
		groupCommand("clear", "forget all keys and register afresh"),
		groupCommand("attach", "put the policy of a group of GET VPN on the interface, and register"),
		groupCommand("detach", "take the policy of a group of GET VPN off the interface, and leave the group"),
		directionCommand,
		memberReloadCommand,
		consoleCommand,
	},
}

func buildMember(o *options) (node.Config, error) {
	cfg, notes, err := o.loadMember()
	if err != nil {
		return node.Config{}, usageError{fileError{err}}
	}
	rules, err := o.switches()
	if err != nil {
		return node.Config{}, err
	}
	o.receiver, o.profile = cfg.Log, cfg.Profile
	o.console, o.failsClose = cfg.Console, cfg.FailClose.Activate
	d, err := o.deviceOf(cfg, rules)
	if err == nil && o.batch {
		err = dataplane.Batch()
	}
	if err != nil {
		return node.Config{}, err
	}
	own := d.places[0]
	out := node.Config{Name: cfg.Name, Core: o.configurable(console.Member(d.core, cfg, outsideOf(own.DataPlane), rules)), Namespace: own.Namespace, Listen: own.Listen, NATT: own.NATT,
		DataPlane: own.DataPlane, VRFs: d.places[1:], Notes: append(notes, d.notes...)}
	o.withAgent(&out, cfg.SNMP, tableOf(mib.Member))
	o.withTracker(&out, cfg)
	return out, nil
}

// outsideOf is the first outside interface, if there is a data plane.
func outsideOf(plane *node.DataPlane) string {
	if plane == nil || len(plane.Device.Outside) == 0 {
		return ""
	}
	return plane.Device.Outside[0]
}

// tables are the members of a device, and where they stand.
type tables struct {
	core   core.Core
	places []node.VRF // the first is the device's own
	notes  []*core.Log
}

// deviceOf makes the member of each routing table.
func (o *options) deviceOf(cfg policy.Member, rules *rule.Switches) (d tables, err error) {
	var members []vrf.Table
	for _, one := range cfg.Tables() {
		m, err := member.New(one, member.Options{Rand: rand.Reader, Rules: rules, Secrets: o.keylog != ""})
		if err != nil {
			return d, usageError{fileError{err}}
		}
		place := node.VRF{Name: one.VRF, Namespace: one.Namespace, Listen: one.Address, NATT: one.Phase1.NATTraversal}
		var device *dataplane.Config
		if err := node.Inside(one.Namespace, func() (err error) { device, err = o.device(one); return err }); err != nil {
			return d, err
		}
		if device != nil {
			place.DataPlane = &node.DataPlane{Device: *device, Gateway: m.Gateway(), Datagram: m.Carry, Refused: m.Refused}
		} else {
			d.notes = append(d.notes, noDataPlane(one.Inside))
		}
		members, d.places = append(members, vrf.Table{VRF: one.VRF, Core: m}), append(d.places, place)
	}
	if d.core = members[0].Core; len(members) > 1 {
		d.core = vrf.New(members, rules)
	}
	return d, nil
}

func noDataPlane(networks []netip.Prefix) *core.Log {
	return &core.Log{
		Severity: core.Warning, Tag: "NO_DATA_PLANE",
		Text: fmt.Sprintf("no packets are forwarded: no interface has an address in the networks inside, %v", networks),
	}
}

// device says between which interfaces the member stands; nil if there is no inside one.
func (o *options) device(cfg policy.Member) (*dataplane.Config, error) {
	found, err := dataplane.Find(cfg.Address.Addr(), cfg.Inside)
	if err != nil {
		return nil, err
	}
	d := &dataplane.Config{Name: cfg.Name, Inside: found.Inside, Outside: found.Outside, Networks: cfg.Inside, UDPChecksum: o.udpChecksum}
	if o.outside != "" {
		d.Outside = []string{o.outside}
	}
	if len(o.inside) > 0 {
		d.Inside = o.inside
	}
	if len(d.Inside) == 0 {
		return nil, nil
	}
	return d, nil
}
