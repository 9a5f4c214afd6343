package node

import (
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// oneLine keeps a text from being read as several lines.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// Note writes a line of what runs beside the node.
func (n *Node) Note(l *core.Log) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log(time.Now(), l)
}

// log writes one line. That nobody can be told of a failing log is no reason to stop.
func (n *Node) log(now time.Time, l *core.Log) {
	now = now.Add(n.ahead)
	if n.cfg.Told != nil {
		n.cfg.Told(l)
	}
	n.deliver(now, l)
	if n.cfg.Log == nil {
		return
	}
	line := text(now, l)
	if n.cfg.LogFormat == LogSyslog {
		line = syslog.Format(n.cfg.Name, now, l)
	}
	_, _ = n.cfg.Log.Write([]byte(oneLine.Replace(line) + "\n"))
}

// deliver hands the line to the receiver of the log, if there is one.
func (n *Node) deliver(now time.Time, l *core.Log) {
	if n.cfg.Receiver == nil {
		return
	}
	line := n.cfg.Format(n.delivered.Add(1), now, l)
	_, _ = n.cfg.Receiver.Write([]byte(oneLine.Replace(line)))
}

var severities = map[core.Severity]string{
	core.Alert: "alert", core.Error: "error", core.Warning: "warning", core.Notice: "notice", core.Info: "info", core.Debug: "debug",
}

// text is a line for a person: time, severity, tag, text and fields.
func text(now time.Time, l *core.Log) string {
	var b strings.Builder
	b.WriteString(now.Format("15:04:05.000 "))
	b.WriteString(severities[l.Severity] + " " + l.Tag + " " + l.Text)
	if l.Requirement != "" {
		b.WriteString(" requirement=" + string(l.Requirement))
	}
	for _, f := range l.Fields {
		b.WriteString(" " + f.Name + "=" + f.Value)
	}
	return b.String()
}
