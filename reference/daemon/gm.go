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
commands status, register and clear, and as a member of GET VPN attach and detach.`,
	example: `  gdoi-gm --config gm.yaml --control /run/gdoi-gm.sock
  gdoi-gm status --control /run/gdoi-gm.sock --json`,
	flags: func(root *cobra.Command, o *options) {
		root.Flags().StringArrayVar(&o.inside, "inside", nil, "inside interface by `name`; may be repeated (default: found by address)")
	},
	build: buildMember,
	commands: []command{
		statusCommand(printMember),
		groupCommand("register", "register again now; keys in use stay until they are replaced"),
		groupCommand("clear", "forget all keys and register afresh"),
		groupCommand("attach", "put the policy of a group of GET VPN on the interface, and register"),
		groupCommand("detach", "take the policy of a group of GET VPN off the interface, and leave the group"),
		directionCommand,
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
	m, err := member.New(cfg, member.Options{Rand: rand.Reader, Rules: rules, Secrets: o.keylog != ""})
	if err != nil {
		return node.Config{}, usageError{fileError{err}}
	}
	device, err := o.device(cfg)
	if err != nil {
		return node.Config{}, err
	}
	o.receiver, o.profile = cfg.Log, cfg.Profile
	o.console = cfg.Console
	out := node.Config{Name: cfg.Name, Core: o.configurable(console.Member(m, cfg, outsideOf(device), rules)), Listen: cfg.Address, NATT: cfg.Phase1.NATTraversal, Notes: notes}
	o.withAgent(&out, cfg.SNMP, tableOf(mib.Member))
	o.withTracker(&out, cfg)
	if device != nil {
		out.DataPlane = &node.DataPlane{Device: *device, Gateway: m.Gateway(), Refused: m.Refused}
	} else {
		out.Notes = append(out.Notes, noDataPlane(cfg.Inside))
	}
	return out, nil
}

func noDataPlane(networks []netip.Prefix) *core.Log {
	return &core.Log{
		Severity: core.Warning, Tag: "NO_DATA_PLANE",
		Text: fmt.Sprintf("no packets are forwarded: no interface has an address in the networks inside, %v", networks),
	}
}

// outsideOf is the first outside interface, if there is a data plane.
func outsideOf(device *dataplane.Config) string {
	if device == nil || len(device.Outside) == 0 {
		return ""
	}
	return device.Outside[0]
}

// device says between which interfaces the member stands; nil if there is no inside one.
func (o *options) device(cfg policy.Member) (*dataplane.Config, error) {
	found, err := dataplane.Find(cfg.Address.Addr(), cfg.Inside)
	if err != nil {
		return nil, err
	}
	d := &dataplane.Config{Name: cfg.Name, Inside: found.Inside, Outside: found.Outside, Networks: cfg.Inside}
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
