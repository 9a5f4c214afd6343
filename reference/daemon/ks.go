package daemon

import (
	"crypto/rand"

	"github.com/gdoilab/gdoilab/reference/console"
	"github.com/gdoilab/gdoilab/reference/keyserver"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/node"
)

var keyServer = program{
	name:  "gdoi-ks",
	short: "GDOI key server",
	long: `gdoi-ks is a GDOI key server (RFC 6407, RFC 8263): it lets members register, hands out the policy and keys of
their groups, and replaces keys before they expire or when an operator asks.

It runs until SIGINT or SIGTERM. Under profile getvpn SIGHUP has it go by the policy that its configuration file has by then. With
--control it answers commands.`,
	example: `  gdoi-ks --config ks.yaml --control /run/gdoi-ks.sock
  gdoi-ks status --control /run/gdoi-ks.sock
  gdoi-ks rekey --control /run/gdoi-ks.sock --kek`,
	build: buildKeyServer, reloads: true,
	commands: []command{statusCommand(printKeyServer), rekeyCommand, reloadCommand, excludeCommand, readmitCommand, receiveOnlyCommand,
		groupCommand("clear", "make a group anew, with other keys and without members"), consoleCommand},
}

func buildKeyServer(o *options) (node.Config, error) {
	cfg, notes, err := o.loadKeyServer()
	if err != nil {
		return node.Config{}, usageError{fileError{err}}
	}
	rules, err := o.switches()
	if err != nil {
		return node.Config{}, err
	}
	core, err := keyserver.New(cfg, keyserver.Options{Rand: rand.Reader, Rules: rules, Secrets: o.keylog != ""})
	if err != nil {
		return node.Config{}, usageError{fileError{err}}
	}
	o.receiver, o.profile = cfg.Log, cfg.Profile
	o.console = cfg.Console
	out := node.Config{Name: cfg.Name, Core: o.configurable(console.KeyServer(core, cfg, rules)), Listen: cfg.Address, Also: cfg.Router.Addresses(), NATT: cfg.Phase1.NATTraversal, Notes: notes}
	o.withAgent(&out, cfg.SNMP, tableOf(mib.KeyServer))
	return out, nil
}
