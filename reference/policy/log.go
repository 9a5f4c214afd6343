package policy

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// LogReceiver is where a node sends its log beside what it writes itself. The zero value is nowhere.
type LogReceiver struct {
	Network LogNetwork
	Address netip.AddrPort
	Format  LogFormat
	Framing LogFraming // over TCP
}

// LogNetwork is what log lines travel over.
type LogNetwork string

// The networks (RFC 5426, RFC 6587).
const (
	LogUDP LogNetwork = "udp"
	LogTCP LogNetwork = "tcp"
)

// LogFormat is how a log line is written.
type LogFormat uint8

// The formats. A node of the profile getvpn writes lines of RFC 3164 as the devices of its vendor do.
const (
	LogRFC5424 LogFormat = iota
	LogRFC3164
)

// LogFraming is how the end of a line is told in a stream.
type LogFraming uint8

// The framings: the length in front (RFC 6587 §3.4.1), or a line feed behind (RFC 6587 §3.4.2).
const (
	FrameByCount LogFraming = iota
	FrameByLineFeed
)

// The names of these values in configuration files.
var (
	logFormats  = yamldoc.Names[LogFormat]{{"rfc5424", LogRFC5424}, {"rfc3164", LogRFC3164}}
	logFramings = yamldoc.Names[LogFraming]{{"octet-counting", FrameByCount}, {"lf", FrameByLineFeed}}
)
