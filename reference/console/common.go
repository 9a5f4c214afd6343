package console

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
)

// common are the words that key servers and members have alike, beside those of "show".
func common() []*word {
	return []*word{
		command("enable", "Turn on privileged commands", enable),
		command("disable", "Turn off privileged commands", disable),
		command("exit", "Exit from the EXEC", leave),
		command("logout", "Exit from the EXEC", leave),
		command("quit", "Exit from the EXEC", leave),
		keyword("terminal", "Set terminal line parameters",
			keyword("length", "Set number of lines on a screen", parameter("<0-512>", "Number of lines on screen (0 for no pausing)", isNumber, nothing)),
			keyword("width", "Set width of the display terminal", parameter("<0-512>", "Number of characters on a screen line", isNumber, nothing)),
			command("monitor", "Copy debug output to the current terminal line", nothing)),
		clockWords(),
		privileged(keyword("debug", "Debugging functions", keyword("crypto", "Cryptographic subsystem", debugWords(true)...))),
		privileged(keyword("no", "Negate a command", keyword("debug", "Debugging functions",
			keyword("crypto", "Cryptographic subsystem", debugWords(false)...)))),
		privileged(keyword("undebug", "Disable debugging functions", command("all", "All", undebugAll),
			keyword("crypto", "Cryptographic subsystem", debugWords(false)...))),
		privileged(keyword("monitor", "Monitor different things", keyword("event-trace", "Tracing of system events",
			keyword("gdoi", "GDOI", command("enable", "Enable tracing", tracing(true)), command("disable", "Disable tracing", tracing(false)),
				command("clear", "Clear the trace", clearTrace))))),
	}
}

// nothing is what takes no effect here: a page is never paused or wrapped.
func nothing(*call) error { return nil }

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// shown are the words behind "show" that key servers and members have alike.
func shown() []*word {
	return []*word{
		command("clock", "Display the system clock", showClock),
		command("debugging", "State of each debugging option", showDebugging),
		command("logging", "Show the contents of logging buffers", showBuffer),
		keyword("monitor", "Monitoring different system events", keyword("event-trace", "Tracing of system events",
			command("gdoi", "GDOI", showTrace, command("all", "Everything", showTrace)))),
		command("privilege", "Show current privilege level", func(in *call) error {
			level := map[bool]string{true: "1", false: "15"}[in.mode == modeUser]
			in.page.put(0, "Current privilege level is "+level, "Current privilege level", level)
			return nil
		}),
		command("version", "System hardware and software status", func(in *call) error {
			in.page.put(0, in.console.opts.Hostname+", gdoilab reference, GET VPN software version "+gmVersion, "GET VPN software version", gmVersion)
			return nil
		}),
	}
}

// debugWords are the words behind "debug crypto".
func debugWords(on bool) []*word {
	what := func(name, help string, next ...*word) *word {
		return command(name, help, func(in *call) error { return in.debug(name, on) }, next...)
	}
	level := func() []*word {
		var all []*word
		for _, l := range []string{"all-levels", "detail", "error", "event", "packet", "terse"} {
			all = append(all, command(l, "Level "+l, func(in *call) error { return in.debug(l, on) }))
		}
		return all
	}
	peer := parameter("A.B.C.D", "Address of the peer", isAddress, func(in *call) error { return in.condition(on) })
	return either("GDOI", func(in *call) error { return in.debug("gdoi", on) },
		what("gm", "Group member", append(level(), keyword("rekey", "Rekeys", level()...))...),
		what("ks", "Key server", append(level(), keyword("rekey", "Rekeys", level()...))...),
		what("replay", "Pseudotime stamps"),
		keyword("condition", "Only what matches", peer, keyword("peer", "Address", keyword("address", "Address", keyword("ipv4", "IPv4", peer)))))
}

// debug turns one kind of telling on or off.
func (in *call) debug(what string, on bool) error {
	d := &in.console.debug
	if d.on == nil {
		d.on = make(map[string]bool)
	}
	word := "on"
	if delete(d.on, what); on {
		d.on[what] = true
	} else {
		word = "off"
	}
	in.console.watchStamps()
	in.page.put(0, fmt.Sprintf("Crypto GDOI %s debugging is %s", what, word))
	return nil
}

// condition has debugging tell of a peer alone, or no longer.
func (in *call) condition(on bool) error {
	peer, err := netip.ParseAddr(in.args0(""))
	if err != nil {
		return err
	}
	d := &in.console.debug
	d.peers = slices.DeleteFunc(d.peers, func(a netip.Addr) bool { return a == peer })
	if on {
		d.peers = append(d.peers, peer)
	}
	return nil
}

func undebugAll(in *call) error {
	in.console.debug = debugging{}
	in.console.watchStamps()
	in.page.put(0, "All possible debugging has been turned off")
	return nil
}

func showDebugging(in *call) error {
	d := in.console.debug
	for _, what := range sortedKeys(d.on) {
		in.page.put(0, fmt.Sprintf("Crypto GDOI %s debugging is on", what))
	}
	for _, peer := range d.peers {
		in.page.put(0, fmt.Sprintf("Crypto GDOI condition peer %s", peer), "condition peer", peer.String())
	}
	return nil
}

func sortedKeys(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func tracing(on bool) func(*call) error {
	return func(in *call) error {
		in.console.trace.off = !on
		return nil
	}
}

func clearTrace(in *call) error {
	in.console.trace.events = nil
	return nil
}

// showTrace shows the last events in the order in which they were.
func showTrace(in *call) error {
	last := slices.Clone(in.console.trace.events)
	if !in.console.kept(guardOrder) {
		slices.Reverse(last)
	}
	in.page.events(last)
	return nil
}

// showBuffer shows what has been told last, messages of debugging among it.
func showBuffer(in *call) error {
	in.page.events(in.console.buffer.events)
	return nil
}

func (p *page) events(events []event) {
	for _, e := range events {
		at := e.at.UTC().Format("Jan 2 15:04:05.000")
		text := eventText(e.log)
		p.record(0, "*"+at+": "+text, "time", at, "event", e.log.Tag, "text", text)
	}
}

// eventText writes a message of GET VPN as routers do, and lines of our own in the same form with their fields.
func eventText(l *core.Log) string {
	if m, ok := getvpn.Find(l.Tag); ok {
		return m.Head() + ": " + l.Text
	}
	text := fmt.Sprintf("%%GDOI-%d-%s: %s", l.Severity, l.Tag, l.Text)
	for _, f := range l.Fields {
		text += fmt.Sprintf(" %s=%s", f.Name, f.Value)
	}
	return text
}

// several shows one thing after the other.
func several(shows ...func(*call) error) func(*call) error {
	return func(in *call) error {
		for _, show := range shows {
			if err := show(in); err != nil {
				return err
			}
		}
		return nil
	}
}
