package policy

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// defaultPort is where GDOI is spoken (RFC 6407 §2.2).
const defaultPort = 848

// maxDelay bounds the waiting times of a node that no message carries.
const maxDelay = 24 * time.Hour

// maxName is the length of an APP-NAME or an interface's origin in a log line (RFC 5424 §6.2.5).
const maxName = 48

// place is a value and where it stands, for checks that need the rest of the file.
type place[T any] struct {
	value T
	at    yamldoc.Value
}

// placed makes a reader remember the place.
func placed[T any](read func(yamldoc.Value) T) func(yamldoc.Value) place[T] {
	return func(v yamldoc.Value) place[T] { return place[T]{read(v), v} }
}

// once notes a value that stands in another place already. The zero value is what a reader returns after a problem.
func once[T comparable](v yamldoc.Value, seen map[T]string, x T) {
	var zero T
	if x == zero {
		return
	}
	if before, again := seen[x]; again {
		v.Problem("%v is already given at %s", x, before)
		return
	}
	seen[x] = v.Path()
}

func nodeName(v yamldoc.Value) string {
	s, ok := v.Text()
	if !ok {
		return ""
	}
	strange := strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	if s == "" || len(s) > maxName || strange {
		v.Problem("%q is no name; it must have 1 to %d printable ASCII characters without spaces", s, maxName)
		return ""
	}
	return s
}

// groupID reads a number or, for those to whom the four octets of ID_KEY_ID are no number in the order of the network, the octets:
// {octets: d2040000}.
func groupID(v yamldoc.Value) uint32 {
	if !v.Has("octets") {
		return uint32(v.Uint(1, math.MaxUint32))
	}
	var id uint32
	v.Fields(yamldoc.Required("octets", &id, func(v yamldoc.Value) uint32 {
		text, _ := v.Text()
		octets, err := hex.DecodeString(text)
		if err != nil || len(octets) != 4 {
			v.Problem("four octets in hexadecimal are expected, such as \"d2040000\"")
			return 0
		}
		return binary.BigEndian.Uint32(octets)
	}))
	return id
}

func within(least, most uint64) func(yamldoc.Value) int {
	return func(v yamldoc.Value) int { return int(v.Uint(least, most)) }
}

func between(least, most time.Duration) func(yamldoc.Value) time.Duration {
	return func(v yamldoc.Value) time.Duration { return v.Duration(least, most) }
}

func seconds(least, most uint64) func(yamldoc.Value) time.Duration {
	return func(v yamldoc.Value) time.Duration { return v.Seconds(least, most) }
}

// sidBits reads one of the sizes that RFC 6407 §3.5 asks for.
func sidBits(v yamldoc.Value) int {
	n := int(v.Uint(0, math.MaxInt32))
	switch n {
	case 0, 8, 12, 16:
		return n
	}
	v.Problem("%d is no size of Sender-IDs; it must be 8, 12 or 16", n)
	return 0
}

// replayWindow reads a size of 32 and more (RFC 4303 §3.4.3), or 0 for none.
func replayWindow(v yamldoc.Value) int {
	n := int(v.Uint(0, 65536))
	if n > 0 && n < 32 {
		v.Problem("%d is too small; it must be 32 or more, or 0 for no window", n)
		return 0
	}
	return n
}

// anyNumber reads any number of 64 bits.
func anyNumber(v yamldoc.Value) uint64 { return v.Uint(0, math.MaxUint64) }

// network reads a prefix of either IP version, or an address as the prefix of that one.
func network(v yamldoc.Value) netip.Prefix {
	s, ok := v.Text()
	if !ok {
		return netip.Prefix{}
	}
	p, err := netip.ParsePrefix(s)
	if a, single := netip.ParseAddr(s); single == nil {
		p, err = host(a.WithZone("")), nil
	}
	switch {
	case err != nil:
		v.Problem("%s is no prefix; write one such as 10.1.0.0/16 or 2001:db8:1::/48", brief(s))
	case p.Addr().Is4In6():
		v.Problem("%s is IPv4 in the form of IPv6; write it as IPv4", brief(s))
	case p != p.Masked():
		v.Problem("%s has bits beyond its length; write %s", brief(s), p.Masked())
	default:
		return p
	}
	return netip.Prefix{}
}

// addressPort reads an address with or without a port; with one, an IPv6 address stands in brackets.
func addressPort(v yamldoc.Value) (netip.AddrPort, bool) {
	s, ok := v.Text()
	if !ok {
		return netip.AddrPort{}, false
	}
	a, err := netip.ParseAddrPort(s)
	if plain, single := netip.ParseAddr(s); single == nil {
		a, err = netip.AddrPortFrom(plain, defaultPort), nil
	}
	switch {
	case err != nil:
		v.Problem("%s is no address; write one such as 10.0.0.1, 10.0.0.1:848 or [2001:db8::1]:848", brief(s))
	case !plainAddress(v, s, a.Addr()):
	case a.Port() == 0:
		v.Problem("%s has port 0; it must be from 1 to 65535", brief(s))
	default:
		return a, true
	}
	return netip.AddrPort{}, false
}

// plainAddress refuses what is no address of its own on the wire: IPv4 in the form of IPv6, and a zone, which means
// something on one machine only (RFC 4291 §2.5.5.2, RFC 4007 §11.2).
func plainAddress(v yamldoc.Value, s string, a netip.Addr) bool {
	switch {
	case a.Is4In6():
		v.Problem("%s is IPv4 in the form of IPv6; write %s", brief(s), a.Unmap())
	case a.Zone() != "":
		v.Problem("%s has a zone; an address that needs one cannot be used here", brief(s))
	default:
		return true
	}
	return false
}

// unicast reads the address of a host, without a port.
func unicast(v yamldoc.Value) netip.Addr {
	return address(v, "10.0.0.1 or 2001:db8::1", func(a netip.Addr) bool { return !a.IsMulticast() && !a.IsUnspecified() }, "not the address of a host")
}

// multicast reads the address of a group, without a port.
func multicast(v yamldoc.Value) netip.Addr {
	return address(v, "239.1.1.1 or ff05::1", netip.Addr.IsMulticast, "not a multicast address; it must be within 224.0.0.0/4 or ff00::/8")
}

// address reads an address such as the example's. One that does not fit is what is said.
func address(v yamldoc.Value, example string, fits func(netip.Addr) bool, otherwise string) netip.Addr {
	s, ok := v.Text()
	if !ok {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		v.Problem("%s is no address; write one such as %s", brief(s), example)
	case !plainAddress(v, s, a):
	case !fits(a):
		v.Problem("%s is %s", a, otherwise)
	default:
		return a
	}
	return netip.Addr{}
}

func unicastPort(v yamldoc.Value) netip.AddrPort {
	a, ok := addressPort(v)
	if ok && (a.Addr().IsMulticast() || a.Addr().IsUnspecified()) {
		v.Problem("%s is not the address of a host", a.Addr())
		return netip.AddrPort{}
	}
	return a
}

func multicastPort(v yamldoc.Value) netip.AddrPort {
	a, ok := addressPort(v)
	if ok && !a.Addr().IsMulticast() {
		v.Problem("%s is not a multicast address; it must be within 224.0.0.0/4 or ff00::/8", a.Addr())
		return netip.AddrPort{}
	}
	return a
}

// brief quotes a value of the file in a problem.
func brief(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return fmt.Sprintf("%q", s)
}
