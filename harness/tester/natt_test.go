package tester

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	nattFrom = netip.MustParseAddrPort("192.0.2.21:4500")
	nattTo   = netip.MustParseAddrPort("192.0.2.10:4500")
)

// leave is what a deviation makes of a message as it leaves from those ports.
func leave(kind core.Kind, d Deviation, from, to netip.AddrPort, data string) string {
	b, _ := hex.DecodeString(data)
	o := &core.Outgoing{Kind: kind, Bytes: b, From: from, To: to}
	for _, stage := range []core.Stage{core.Built, core.Authenticated, core.Sealed, core.Leaving} {
		d.Tap.See(stage, o)
	}
	if o.Withhold {
		return "withheld"
	}
	return hex.EncodeToString(o.Bytes) + " " + o.From.String() + " " + o.To.String()
}

func TestLeavingDeviations(t *testing.T) {
	message := strings.Repeat("a5", 24) + "0000001c"
	usual := " " + nattFrom.String() + " " + nattTo.String()
	const kind = core.Pull1
	former := " 192.0.2.21:848 192.0.2.10:848"
	for _, c := range []struct {
		d    Deviation
		want string
	}{
		{Unmarked(kind), message + usual},
		{ShortMarker(kind), "000000" + message + usual},
		{LongMarker(kind), "0000000000000000" + message + usual},
		{WrongMarker(kind), "00000100" + message + usual},
		{MarkerCounted(kind), "00000000" + message[:len(message)-2] + "20" + usual},
		{Unfloated(kind, 848), message + former},
		{HalfFloated(kind, 848), "00000000" + message + " 192.0.2.21:4500 192.0.2.10:848"},
		{MarkerElsewhere(kind), "00000000" + message + usual},
		{FloatedEarly(kind), "00000000" + message + usual},
	} {
		if got := leave(kind, c.d, nattFrom, nattTo, "00000000"+message); got != c.want {
			t.Errorf("%s: %s", c.d.Name, got)
		}
		if got := leave(core.Pull3, c.d, nattFrom, nattTo, "00000000"+message); got != "00000000"+message+usual {
			t.Errorf("%s: another message is %s", c.d.Name, got)
		}
	}
	at, to := netip.AddrPortFrom(nattFrom.Addr(), 848), netip.AddrPortFrom(nattTo.Addr(), 848)
	for want, d := range map[string]Deviation{
		"00000000" + message + former: MarkerElsewhere(kind),
		"00000000" + message + usual:  FloatedEarly(kind),
		message + former:              Unmarked(kind),
	} {
		if got := leave(kind, d, at, to, message); got != want {
			t.Errorf("%s on port 848: %s", d.Name, got)
		}
	}
	for want, d := range map[string]Deviation{"ffff" + usual: LongKeepalive(), "fe" + usual: WrongKeepalive(), "withheld": NoKeepalive()} {
		if got := leave(core.Keepalive, d, nattFrom, nattTo, "ff"); got != want {
			t.Errorf("%s: %s", d.Name, got)
		}
	}
}

func TestDiscoveryDeviations(t *testing.T) {
	payloads := func(d Deviation, kind core.Kind, ps ...isakmp.Payload) (octets []string) {
		o := &core.Outgoing{Kind: kind, Payloads: ps}
		d.Tap.See(core.Built, o)
		for _, p := range o.Payloads {
			b, _ := p.AppendBody(nil)
			octets = append(octets, p.Type().String()+" "+hex.EncodeToString(b))
		}
		return octets
	}
	remote, local := isakmp.NATD{Data: []byte{1, 1}}, isakmp.NATD{Data: []byte{2, 2}}
	vendor := isakmp.VID{Data: bytes.Repeat([]byte{3}, 2)}
	ke := isakmp.KE{Data: []byte{7}}
	for want, got := range map[string][]string{
		"KE 07":                                     payloads(NoNATD(core.MainMode3), core.MainMode3, ke, remote, local),
		"KE 07, NAT-D 0101":                         payloads(OneNATD(core.MainMode3), core.MainMode3, ke, remote, local),
		"KE 07, NAT-D 0100, NAT-D 0202":             payloads(WrongNATD(core.MainMode3, 0), core.MainMode3, ke, remote, local),
		"KE 07, NAT-D 0101, NAT-D 0203":             payloads(WrongNATD(core.MainMode3, 1), core.MainMode3, ke, remote, local),
		"KE 07, NAT-D 0101, NAT-D 0203, NAT-D 0202": payloads(MoreNATD(core.MainMode3), core.MainMode3, ke, remote, local),
		"VID 0302":                                  payloads(DraftNATVendor(core.MainMode1), core.MainMode1, vendor),
		"":                                          payloads(NoNATVendor(core.MainMode1), core.MainMode1, vendor),
	} {
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
}
