package member_test

import (
	"maps"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func init() { maps.Copy(scenarios, modeScenarios) }

// modeScenarios are those of the directions of GET VPN and of failing close.
var modeScenarios = map[string]scenario{
	"passive":               {kills: "passive", cfg: passive},
	"passive, receive-only": {kills: "passive.first", cfg: passive, setup: receiveOnly},
	"the operator has both": {kills: "direction.command", cfg: passive, run: commands("both")},
	"the operator has both, then a rekey": {kills: "direction.rekey", cfg: passive, run: func(l *lab) {
		commands("both")(l)
		fresh(1, 0x2001)(l)
	}},
	"receive-only ends": {kills: "receiveonly.passive", cfg: profiled, setup: receiveOnly, run: fresh(1, 0x2001)},
	"receive-only ended a little less than five minutes ago": {kills: "receiveonly.converted", cfg: profiled, setup: receiveOnly, run: func(l *lab) {
		fresh(1, 0x2001)(l)
		l.run(5*time.Minute - 500*time.Millisecond)
	}},
	"receive-only ended a little more than five minutes ago": {kills: "receiveonly.converted", cfg: profiled, setup: receiveOnly, run: func(l *lab) {
		fresh(1, 0x2001)(l)
		l.run(5*time.Minute + 500*time.Millisecond)
	}},
	"SAs are lost": {kills: "activesa", cfg: profiled, run: pushes(pushSpec{seq: 1, deletes: deleteAll()})},
	"SAs end, and nobody answers": {kills: "revert activesa", cfg: reverting, run: func(l *lab) {
		l.ks.deaf = true
		l.run(3 * time.Hour)
	}},
	"nobody answers": {kills: "revert.ended", cfg: reverting, run: func(l *lab) {
		l.ks.deaf = true
		l.command(control.Register)
		l.run(20 * time.Minute)
	}},
	"SAs are lost where the member reverts": {kills: "revert.lost", cfg: reverting, run: pushes(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(1, make([]byte, 4))}})},
	"cleared where the member reverts": {kills: "revert.clear", cfg: reverting, run: func(l *lab) {
		l.ks.deaf = true
		l.command(control.Clear)
	}},
	"SAs end where nothing is activated": {kills: "revert.active", cfg: func(cfg *policy.Member) { reverting(cfg); cfg.FailClose.Activate = false },
		run: func(l *lab) {
			l.ks.deaf = true
			l.run(3 * time.Hour)
		}},
}

func profiled(cfg *policy.Member) { cfg.Profile = policy.ProfileGETVPN }

func passive(cfg *policy.Member) { profiled(cfg); cfg.Passive = true }

func reverting(cfg *policy.Member) {
	profiled(cfg)
	cfg.FailClose = policy.FailClose{Activate: true, Revert: true}
}

func marked(sa policy.TrafficSA) policy.TrafficSA {
	sa.Transform.Direction = policy.DirectionReceiverOnly
	return sa
}

func receiveOnly(l *lab) {
	for i := range l.ks.sas {
		l.ks.sas[i] = marked(l.ks.sas[i])
	}
}

func commands(direction string) func(l *lab) {
	return func(l *lab) { l.command(control.Direction, `{"direction":"`+direction+`"}`) }
}

// fresh is a rekey that brings an SA for both directions.
func fresh(seq, spi uint32) func(l *lab) {
	return pushes(pushSpec{seq: seq, sas: []policy.TrafficSA{gcm(spi)}})
}

// modesLab is a member of GET VPN that has started.
func modesLab(t *testing.T, cfg func(*policy.Member), setup func(*lab)) *lab {
	t.Helper()
	c := config()
	cfg(&c)
	l := newLabWith(t, c, nil)
	if setup != nil {
		setup(l)
	}
	return l.start()
}

func (l *lab) directions(want string) {
	l.Helper()
	if got := l.status().Modes.Direction; got != want {
		l.Errorf("the direction is %q, want %q", got, want)
	}
}

// TestDirections follows a member from receive-only to both directions.
func TestDirections(t *testing.T) {
	l := modesLab(t, profiled, receiveOnly)
	l.directions("receive-only")
	commands("inbound-optional")(l)
	l.directions("inbound-optional")
	commands("both")(l)
	l.directions("both")
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{marked(gcm(0x2001))}}))
	l.directions("receive-only")
	fresh(2, 0x2002)(l)
	l.directions("inbound-optional")
	fresh(3, 0x2002)(l) // told once more
	l.run(4*time.Minute + 59*time.Second)
	l.directions("inbound-optional")
	l.run(time.Second)
	l.directions("both")
	for tag, want := range map[string]int{"GM_SA_INGRESS": 2, "GM_CONV_SA_DUPLEX": 1, "GM_CONV_SA_DUPLEX_LOCAL": 1, "ACTIVE_SA": 1} {
		if got := l.count(tag); got != want {
			t.Errorf("%d lines %s, want %d", got, tag, want)
		}
	}
}

// TestDirectionsByRekey has a second rekey come before the five minutes are over.
func TestDirectionsByRekey(t *testing.T) {
	l := modesLab(t, profiled, receiveOnly)
	fresh(1, 0x2001)(l)
	l.run(time.Minute)
	fresh(2, 0x2002)(l)
	l.directions("both")
	if l.count("GM_CONV_SA_DUPLEX") != 1 {
		t.Error("it is not told")
	}
}

func TestDirectionRefused(t *testing.T) {
	l := registered(t)
	if r := l.command(control.Direction, `{"direction":"both"}`); r.Err == "" {
		t.Error("another profile has the command")
	}
	l = modesLab(t, profiled, nil)
	for _, args := range []string{`{"direction":"receive-only"}`, `{"direction":"both","group":9}`, `{`} {
		if r := l.command(control.Direction, args); r.Err == "" {
			t.Errorf("%s is taken", args)
		}
	}
}

// TestRevert has a member lose its key server.
func TestRevert(t *testing.T) {
	l := modesLab(t, reverting, nil)
	if s := l.status().Modes; s.Closed || !s.FailClose || !s.Revert || !s.ActiveSA {
		t.Errorf("registered: %+v", s)
	}
	l.ks.deaf = true
	l.command(control.Register)
	l.run(20 * time.Minute)
	s := l.status()
	if want := s.SAs[0].Expiry; s.Modes.Closed || !s.Modes.Removal.Equal(want) {
		t.Errorf("key server lost: %+v, want the policy to be removed at %v", s.Modes, want)
	}
	l.run(3 * time.Hour)
	if s := l.status().Modes; !s.Closed || s.ActiveSA || !s.Removal.IsZero() {
		t.Errorf("SAs ended: %+v", s)
	}
	l.ks.deaf = false
	l.run(time.Minute)
	if s := l.status().Modes; s.Closed || !s.ActiveSA {
		t.Errorf("registered again: %+v", s)
	}
}

// TestLostEveryKeyServer: one of two key servers is not all of them.
func TestLostEveryKeyServer(t *testing.T) {
	l := modesLab(t, func(cfg *policy.Member) {
		reverting(cfg)
		cfg.KeyServers = append(cfg.KeyServers, secondAddress)
	}, nil)
	l.ks.deaf, l.second.deaf = true, true
	l.command(control.Register)
	for l.count("REGISTRATION_FAILED") < 2 { // the first is of the Phase 1 from before
		l.run(time.Second)
	}
	if s := l.status().Modes; !s.Removal.IsZero() {
		t.Errorf("with one key server lost: %+v", s)
	}
	l.run(2 * time.Minute)
	if s := l.status().Modes; s.Removal.IsZero() {
		t.Errorf("with both lost: %+v", s)
	}
}

func (l *lab) count(tag string) (n int) {
	for _, line := range l.logs {
		if line.Tag == tag {
			n++
		}
	}
	return n
}
