package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

const (
	// waitingLines is how many lines wait for a receiver that is slow or away. Beyond that new ones are lost, so that nobody waits for it.
	waitingLines = 4096
	retryFirst   = 100 * time.Millisecond // after a connection failed, doubled up to retryLast
	retryLast    = 5 * time.Second
	writeLimit   = 5 * time.Second
	farewell     = time.Second // to send what still waits when the daemon ends
)

// receiver sends log lines to where a configuration says. Write never waits.
type receiver struct {
	to      policy.LogReceiver
	lines   chan []byte
	ended   chan struct{}
	hurry   context.CancelFunc // ends the waiting between attempts
	context context.Context
}

// receive has the node's log go to a receiver, if its configuration names one: else it returns nil.
func receive(cfg *node.Config, to policy.LogReceiver, profile policy.Profile) io.Closer {
	if to == (policy.LogReceiver{}) {
		return nil
	}
	r := newReceiver(to)
	cfg.Receiver, cfg.Format = r, lineFormat(cfg.Name, to.Format, profile)
	return r
}

// lineFormat is how lines for a receiver are written.
func lineFormat(host string, f policy.LogFormat, profile policy.Profile) func(uint64, time.Time, *core.Log) string {
	switch {
	case f == policy.LogRFC3164 && profile == policy.ProfileGETVPN:
		return syslog.FormatIOS
	case f == policy.LogRFC3164:
		return func(_ uint64, now time.Time, l *core.Log) string { return syslog.FormatRFC3164(host, now, l) }
	}
	return func(_ uint64, now time.Time, l *core.Log) string { return syslog.Format(host, now, l) }
}

func newReceiver(to policy.LogReceiver) *receiver {
	ctx, hurry := context.WithCancel(context.Background())
	r := &receiver{to: to, lines: make(chan []byte, waitingLines), ended: make(chan struct{}), hurry: hurry, context: ctx}
	go r.send()
	return r
}

// Write takes one line without its end. A line for which there is no room is lost.
func (r *receiver) Write(line []byte) (int, error) {
	select {
	case r.lines <- append([]byte(nil), line...):
	default:
	}
	return len(line), nil
}

// Close sends what waits if the receiver is there.
func (r *receiver) Close() error {
	close(r.lines)
	r.hurry()
	<-r.ended
	return nil
}

// send carries the lines over one connection after another.
func (r *receiver) send() {
	defer close(r.ended)
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	for line := range r.lines {
		for attempt := 0; ; attempt++ {
			if conn == nil {
				conn = r.dial()
			}
			if conn != nil && r.write(conn, line) == nil {
				break
			}
			if conn != nil {
				_ = conn.Close()
				conn = nil
			}
			if !r.pause(attempt) {
				return
			}
		}
	}
}

// dial returns nil if nobody listens.
func (r *receiver) dial() net.Conn {
	limit := writeLimit
	if r.context.Err() != nil {
		limit = farewell
	}
	conn, err := net.DialTimeout(string(r.to.Network), r.to.Address.String(), limit)
	if err != nil {
		return nil
	}
	if r.to.Network == policy.LogTCP {
		go drain(conn)
	}
	return conn
}

// drain notices that the other side ends the connection, so that the next line finds out.
func drain(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// pause waits before the next attempt, and reports whether there is to be one.
func (r *receiver) pause(attempt int) bool {
	wait := time.NewTimer(min(retryFirst<<min(attempt, 10), retryLast))
	defer wait.Stop()
	select {
	case <-r.context.Done():
		return attempt == 0
	case <-wait.C:
		return true
	}
}

// write sends one line: a datagram (RFC 5426 §3.1), or a part of a stream.
func (r *receiver) write(conn net.Conn, line []byte) error {
	switch {
	case r.to.Network == policy.LogUDP:
		_, _ = conn.Write(line) // nobody listening is no reason to send it again
		return nil
	case r.to.Framing == policy.FrameByLineFeed:
		line = append(line, '\n')
	default:
		line = append(fmt.Appendf(nil, "%d ", len(line)), line...)
	}
	limit := writeLimit
	if r.context.Err() != nil {
		limit = farewell
	}
	if err := conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	_, err := conn.Write(line)
	return err
}
