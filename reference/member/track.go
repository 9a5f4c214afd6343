package member

import (
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardTrackUp = rule.Duty("member.track.up", "GETVPN-ROUTE-06", rule.GM,
		"the tracked object goes UP when the key server has given a TEK")
	guardTrackDown = rule.Duty("member.track.down", "GETVPN-ROUTE-06", rule.GM,
		"the tracked object goes DOWN when there is no TEK any more")
	guardTrackDelay = rule.Timer("member.track.delay", "GETVPN-ROUTE-07", rule.GM, trackUnit,
		"the tracked object goes UP no sooner than its delay says, and no later")
)

// trackUnit is by how much mutants of the delay are wrong: half of the one that the guides have.
const trackUnit = 30 * time.Second

// tracked is the state of a membership's tracked object. It begins DOWN.
type tracked struct {
	known, up bool
	at        time.Time // when the change that is under way is due; zero: none is
}

// The states of a tracked object, as operators and hooks see them.
const (
	trackUp   = "up"
	trackDown = "down"
)

func (t tracked) String() string {
	if t.up {
		return trackUp
	}
	return trackDown
}

// follow has the tracked object follow whether the member has a key, which whatever was just handled may have changed.
func (m *membership) follow(now time.Time) {
	if !m.getvpn() || m.cfg.Track == nil {
		return
	}
	if !m.tracked.known {
		m.tellTrack(false)
	}
	up := m.gateway.Keyed(now)
	if up == m.tracked.up {
		m.tracked.at = time.Time{}
		return
	}
	if m.tracked.at.IsZero() {
		m.tracked.at = now.Add(m.trackDelay(up))
	}
	if !due(now, m.tracked.at) {
		return
	}
	m.tracked.at = time.Time{}
	if up && guardTrackUp.Kept(m.rules) || !up && guardTrackDown.Kept(m.rules) {
		m.tellTrack(up)
	}
}

// trackDelay is how long a change has to last before it is told.
func (m *membership) trackDelay(up bool) time.Duration {
	switch {
	case !up:
		return m.cfg.Track.DelayDown
	case m.cfg.Track.DelayUp == 0:
		return 0
	}
	return guardTrackDelay.Delay(m.rules, m.cfg.Track.DelayUp)
}

func (m *membership) tellTrack(up bool) {
	m.tracked.known, m.tracked.up = true, up
	m.emit(&core.Track{Group: m.cfg.Group, Number: m.cfg.Track.Number, Up: up})
	m.log(core.Notice, "TRACK_STATE", "the tracked object is "+m.tracked.String(), "track", strconv.Itoa(m.cfg.Track.Number),
		"state", m.tracked.String(), groupField, m.groupText())
}
