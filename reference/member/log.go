package member

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// log emits a line for the operator; names and values of its fields alternate. A member of several groups says which it is about.
func (m *membership) log(severity core.Severity, tag, text string, fields ...string) {
	l := &core.Log{Severity: severity, Tag: tag, Text: text}
	if room := len(fields) / 2; room > 0 {
		l.Fields = make([]core.Field, 0, room+min(1, len(m.groups)-1))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		l.Fields = append(l.Fields, core.Field{Name: fields[i], Value: fields[i+1]})
	}
	if len(m.groups) > 1 && !slices.ContainsFunc(l.Fields, func(f core.Field) bool { return f.Name == groupField }) {
		l.Fields = append(l.Fields, core.Field{Name: groupField, Value: m.groupText()})
	}
	m.emit(l)
}

const groupField = "group"

// refuse counts and logs what broke a requirement, and reports whether there is a line about it: their number is limited. Other errors,
// such as a notification that nobody has proven, are only logged.
func (m *membership) refuse(now time.Time, err error, from netip.AddrPort) (told bool) {
	var v *rule.Violation
	if errors.As(err, &v) {
		lines := m.rejects.Refuse(now, v, from)
		m.emit(lines...)
		return len(lines) > 0
	}
	m.log(core.Debug, "IGNORED", err.Error(), "from", from.String())
	return false
}

// refuseGuard is refuse for what costs next to nothing to send.
func (h *host) refuseGuard(now time.Time, g *rule.Guard, from netip.AddrPort) {
	h.emit(h.rejects.RefuseGuard(now, g, from)...)
}

func (m *membership) groupText() string { return strconv.FormatUint(uint64(m.cfg.Group), 10) }
