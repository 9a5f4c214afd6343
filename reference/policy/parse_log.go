package policy

import (
	"net/netip"
	"strings"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// logReceiver reads the field log.
func logReceiver(v yamldoc.Value) LogReceiver {
	var r LogReceiver
	v.Fields(
		yamldoc.Field{Name: "to", Required: true, Read: func(v yamldoc.Value) { r.Network, r.Address = receiverAddress(v) }},
		yamldoc.Optional("format", &r.Format, logFormats.Read),
		yamldoc.Optional("framing", &r.Framing, logFramings.Read),
	)
	if v.Has("framing") && r.Network == LogUDP {
		v.Problem("a datagram has no framing; take it out, or send the log over tcp")
	}
	return r
}

// receiverAddress reads udp://192.0.2.1:514.
func receiverAddress(v yamldoc.Value) (LogNetwork, netip.AddrPort) {
	text, ok := v.Text()
	if !ok {
		return "", netip.AddrPort{}
	}
	network, rest, _ := strings.Cut(text, "://")
	to, err := netip.ParseAddrPort(rest)
	if known := LogNetwork(network) == LogUDP || LogNetwork(network) == LogTCP; !known || err != nil || to.Port() == 0 {
		v.Problem("%q is no receiver of a log; write udp://192.0.2.1:514 or tcp://192.0.2.1:601", text)
		return "", netip.AddrPort{}
	}
	return LogNetwork(network), to
}
