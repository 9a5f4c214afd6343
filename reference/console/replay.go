package console

import (
	"fmt"
	"strconv"

	"github.com/gdoilab/gdoilab/reference/control"
)

// replayMethod writes how repetitions are found as the tables of SAs do.
func (g gmGroup) replayMethod(sa control.SA) string {
	switch method, value := g.replay(sa); method {
	case "Anti-Replay(Time Based)":
		return "Time/" + replaySeconds(sa.Replay.Window) + " sec"
	case "Anti-Replay(Counter Based)":
		return "Counter/" + value
	}
	return "Disabled"
}

// showGMReplay is "show crypto gdoi gm replay".
func showGMReplay(in *call, g gmGroup) {
	p := &in.page
	p.head(0, "", fmt.Sprintf("Anti-replay Information For Group %s:", g.name))
	p.head(1, "  ", "Timebased Replay:")
	var sum control.Replay
	for _, spi := range spis(g.SAs) {
		sum = plus(sum, g.SAs, spi)
	}
	if !in.console.kept(guardCounters) {
		sum = control.Replay{In: 1, InErrors: 1}
	}
	if g.Pseudotime == nil {
		p.put(2, "    is not enabled")
		counted(p, sum)
		p.gap()
		return
	}
	value := g.Pseudotime.Value
	if !in.console.kept(guardPseudotime) {
		value = "0.00"
	}
	p.field(2, "    ", "Replay Value", value+" secs")
	counted(p, sum)
	sync := strconv.FormatUint(g.Pseudotime.SyncErrors, 10)
	p.put(2, fmt.Sprintf("    Time Sync Error     : %10s    Max time delta : %s secs", sync, g.Pseudotime.MaxDelta),
		"Time Sync Error", sync, "Max time delta", g.Pseudotime.MaxDelta+" secs")
	p.gap()
	p.head(2, "  ", "TBAR Error History (sampled at 10pak/min):")
	if len(g.Pseudotime.Errors) == 0 {
		p.put(3, "    No TBAR errors detected")
	}
	for _, e := range g.Pseudotime.Errors {
		p.record(3, fmt.Sprintf("    %s: src=%s; my_pst=%s; peer_pst=%s; spi=0x%s; seq=%d", e.Time.UTC().Format("15:04:05.000"), e.Source, e.Own, e.Peer, e.SPI, e.Sequence),
			"src", e.Source, "my_pst", e.Own, "peer_pst", e.Peer, "spi", e.SPI)
	}
	p.gap()
}

// counted are the packets whose stamps or numbers were looked at.
func counted(p *page, r control.Replay) {
	in, out := strconv.FormatUint(r.In, 10), strconv.FormatUint(r.Out, 10)
	inErr, outErr := strconv.FormatUint(r.InErrors, 10), strconv.FormatUint(r.OutErrors, 10)
	p.put(2, fmt.Sprintf("    Input Packets       : %10s    Output Packets : %s", in, out), "Input Packets", in, "Output Packets", out)
	p.put(2, fmt.Sprintf("    Input Error Packets : %10s    Output Error Packets : %s", inErr, outErr), "Input Error Packets", inErr, "Output Error Packets", outErr)
}

// plus adds what was counted under one SA, which may have several flows.
func plus(sum control.Replay, sas []control.SA, spi string) control.Replay {
	for _, sa := range sas {
		if sa.SPI == spi && sa.Replay != nil {
			sum.In += sa.Replay.In
			sum.Out += sa.Replay.Out
			sum.InErrors += sa.Replay.InErrors
			sum.OutErrors += sa.Replay.OutErrors
			return sum
		}
	}
	return sum
}

// showKSReplay is "show crypto gdoi ks replay".
func showKSReplay(in *call, g ksGroup) {
	p := &in.page
	p.head(0, "", fmt.Sprintf("Anti-replay Information For Group %s:", g.Name))
	p.head(1, "  ", "Timebased Replay:")
	value := g.Pseudotime
	if value != "" && !in.console.kept(guardKSPseudotime) {
		value = "0.00"
	}
	if value == "" {
		p.put(2, "    is not enabled")
	} else {
		p.field(2, "    ", "Replay Value", value+" secs")
	}
	p.gap()
}

// clearReplay forgets what was counted of repeated packets.
func clearReplay(in *call) error {
	groups, err := in.gmGroups(in.args...)
	if err != nil || !in.console.kept(guardClearReplay) {
		return err
	}
	for _, g := range groups {
		if err := in.console.ask(in.now, control.ClearReplay, control.GroupArgs{Group: g.Group}, nil); err != nil {
			return err
		}
	}
	return nil
}

// direct sets in which directions a member uses the SAs of its groups.
func direct(direction string) func(*call) error {
	return func(in *call) error {
		return in.console.ask(in.now, control.Direction, control.DirectionArgs{Direction: direction}, nil)
	}
}

// tagMethod is how packets carry the tag of their security group.
func tagMethod(r *control.Replay) string {
	if r == nil || r.Tag == "" {
		return "disabled"
	}
	return r.Tag
}
