package iosconfig

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// number reads a whole number within bounds.
func (r *reader) number(l line, text string, least, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.problem(l, "%q is no number from %d to %d", text, least, most)
		return least
	}
	return n
}

func (r *reader) seconds(l line, text string, least, most int) time.Duration {
	return time.Duration(r.number(l, text, least, most)) * time.Second
}

// lifetime reads that of an SA in seconds, days one in days.
func (r *reader) lifetime(l line, text string) time.Duration { return r.seconds(l, text, 120, 2592000) }

func (r *reader) days(l line, text string) time.Duration { return 86400 * r.seconds(l, text, 1, 30) }

func (r *reader) address(l line, text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		r.problem(l, "%q is no address", text)
	}
	return a
}

// masked is the prefix of an address with a mask; inverse says that the bits which do not matter are set.
func masked(address, mask string, inverse bool) (netip.Prefix, error) {
	a, err1 := netip.ParseAddr(address)
	m, err2 := netip.ParseAddr(mask)
	if err1 != nil || err2 != nil || !a.Is4() || !m.Is4() {
		return netip.Prefix{}, fmt.Errorf("%s %s is no address with a mask", address, mask)
	}
	octets := m.As4()
	bits := binary.BigEndian.Uint32(octets[:])
	if inverse {
		bits = ^bits
	}
	length := 0
	for length < 32 && bits&(1<<(31-length)) != 0 {
		length++
	}
	if bits != ^uint32(0)<<(32-length) {
		return netip.Prefix{}, fmt.Errorf("the mask %s is not one of a prefix", mask)
	}
	return a.Prefix(length)
}

var protocols = map[string]uint8{"ip": 0, "icmp": 1, "igmp": 2, "ipinip": 4, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ahp": 51, "eigrp": 88, "ospf": 89,
	"pim": 103, "sctp": 132}

// services are ports that have a name.
var services = map[string]uint16{"telnet": 23, "tacacs": 49, "bootps": 67, "bootpc": 68, "domain": 53, "www": 80, "ntp": 123, "snmp": 161, "bgp": 179,
	"isakmp": 500, "syslog": 514, "ssh": 22}

var any4 = netip.MustParsePrefix("0.0.0.0/0")

// entry reads "permit|deny PROTOCOL FROM TO" of an extended list, or "permit|deny FROM" of a standard one.
func (r *reader) entry(l line, words []string) (policy.ACE, bool) {
	e := policy.ACE{Deny: words[0] == "deny"}
	rest := words[1:]
	if len(rest) == 0 {
		r.problem(l, "the entry names no packets")
		return e, false
	}
	n, isNumber := strconv.Atoi(rest[0])
	number, known := protocols[rest[0]]
	standard := !known && (isNumber != nil || n < 0 || n > 255)
	switch {
	case standard:
		e.Selector.Destination = any4
	case known:
		e.Selector.Protocol, rest = number, rest[1:]
	default:
		e.Selector.Protocol, rest = uint8(n), rest[1:]
	}
	var err error
	if e.Selector.Source, e.Selector.SourcePort, rest, err = end(rest); err == nil && !standard {
		e.Selector.Destination, e.Selector.DestinationPort, rest, err = end(rest)
	}
	if err == nil && len(rest) > 0 && rest[0] != "log" {
		err = fmt.Errorf("%q does not belong into an entry", strings.Join(rest, " "))
	}
	if err != nil {
		r.problem(l, "%v", err)
	}
	return e, err == nil
}

// end reads one end of the packets of an entry: any, host ADDRESS, or ADDRESS with a mask of what does not matter; then perhaps a port.
func end(words []string) (p netip.Prefix, port uint16, rest []string, err error) {
	switch {
	case len(words) == 0:
		return p, 0, nil, fmt.Errorf("an end of the packets is missing")
	case words[0] == "any":
		p, rest = any4, words[1:]
	case words[0] == "host" && len(words) > 1:
		var a netip.Addr
		if a, err = netip.ParseAddr(words[1]); err == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
		rest = words[2:]
	case len(words) > 1 && strings.Contains(words[1], "."):
		p, err = masked(words[0], words[1], true)
		rest = words[2:]
	default:
		var a netip.Addr
		if a, err = netip.ParseAddr(words[0]); err == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
		rest = words[1:]
	}
	if err != nil || len(rest) == 0 || rest[0] != "eq" {
		return p, 0, rest, err
	}
	if len(rest) < 2 {
		return p, 0, nil, fmt.Errorf("a port is missing behind eq")
	}
	port, ok := services[rest[1]]
	if n, err := strconv.ParseUint(rest[1], 10, 16); err == nil {
		port, ok = uint16(n), true
	}
	if !ok {
		return p, 0, nil, fmt.Errorf("%q is no port", rest[1])
	}
	return p, port, rest[2:], nil
}

// aesBits reads the length behind "aes", which is 128 unless said, and returns what is left.
func aesBits(words []string) (bits int, rest []string) {
	if len(words) > 0 {
		switch words[0] {
		case "128", "192", "256":
			bits, _ = strconv.Atoi(words[0])
			return bits, words[1:]
		}
	}
	return 128, words
}

// mostTransforms is how many transforms a set has.
const mostTransforms = 4

// transforms reads a transform set of one to four transforms. A policy has one protocol for an SA, and no compression, so that of AH beside
// ESP, and of comp-lzs, there is nothing that it could keep.
func (r *reader) transforms(l line, words []string) policy.Transform {
	var kept []string
	count, esp := 0, slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "esp-") })
	for _, w := range words {
		if _, err := strconv.Atoi(w); err != nil {
			count++
		}
		if w == "comp-lzs" || esp && strings.HasPrefix(w, "ah-") {
			r.lacking(l, "the policy has no field for %q in a transform set of ESP", w)
			continue
		}
		kept = append(kept, w)
	}
	if count < 1 || count > mostTransforms {
		r.problem(l, "a transform set has one to %d transforms", mostTransforms)
	}
	t, err := transformOf(kept)
	if err != nil {
		r.problem(l, "%v", err)
	}
	return t
}

// transformOf reads what a transform set consists of.
func transformOf(words []string) (t policy.Transform, err error) {
	for len(words) > 0 {
		word, rest := words[0], words[1:]
		switch word {
		case "esp-aes", "esp-gcm", "esp-gmac":
			t.Cipher = map[string]policy.Cipher{"esp-aes": policy.CipherAESCBC, "esp-gcm": policy.CipherAESGCM16, "esp-gmac": policy.CipherGMAC}[word]
			t.KeyBits, rest = aesBits(rest)
		case "esp-3des":
			t.Cipher = policy.Cipher3DES
		case "esp-null":
			t.Cipher = policy.CipherNULL
		case "esp-sha-hmac", "ah-sha-hmac":
			t.Integrity = policy.IntegrityHMACSHA1
		case "esp-sha256-hmac", "ah-sha256-hmac":
			t.Integrity = policy.IntegrityHMACSHA256
		case "esp-sha384-hmac", "ah-sha384-hmac":
			t.Integrity = policy.IntegrityHMACSHA384
		case "esp-sha512-hmac", "ah-sha512-hmac":
			t.Integrity = policy.IntegrityHMACSHA512
		default:
			return t, fmt.Errorf("the transform %s is not known here", word)
		}
		if strings.HasPrefix(word, "ah-") {
			t.Protocol = policy.ProtocolAH
		}
		words = rest
	}
	if err := t.Check(); err != nil {
		return t, fmt.Errorf("these transforms do not go together: %w", err)
	}
	t.Mode, t.Preservation = policy.ModeTunnel, policy.PreserveBoth
	return t, nil
}

var (
	hashes = map[string]policy.Phase1Hash{"sha": policy.Phase1SHA1, "sha256": policy.Phase1SHA256, "sha384": policy.Phase1SHA384,
		"sha512": policy.Phase1SHA512, "md5": policy.Phase1MD5}
	dhGroups = map[string]policy.DHGroup{"1": policy.MODP768, "2": policy.MODP1024, "5": policy.MODP1536, "14": policy.MODP2048, "15": policy.MODP3072,
		"16": policy.MODP4096, "19": policy.ECP256, "20": policy.ECP384, "21": policy.ECP521}
	authentications = map[string]policy.Phase1Auth{"pre-share": policy.AuthPSK, "rsa-sig": policy.AuthRSA, "ecdsa-sig": policy.AuthECDSA256}
	sigHashes       = map[string]policy.SigHash{"sha": policy.SigHashSHA1, "sha1": policy.SigHashSHA1, "sha256": policy.SigHashSHA256, "sha384": policy.SigHashSHA384,
		"sha512": policy.SigHashSHA512}
	acknowledgements = map[string]policy.AckType{"cisco": policy.AckKEKSHA256, "interoperable": policy.AckKEKSHA256, "any": policy.AckKEKSHA256, "none": policy.AckNone}
)

// known reads a word of a table.
func known[T any](r *reader, l line, table map[string]T, word string) T {
	value, ok := table[word]
	if !ok {
		r.problem(l, "%q is not known here", word)
	}
	return value
}

// Wildcard writes a prefix as access lists have it: the address, and a mask of the bits that do not matter.
func Wildcard(prefix string) (string, error) {
	p, err := netip.ParsePrefix(prefix)
	if err != nil || !p.Addr().Is4() {
		return "", fmt.Errorf("%q is no prefix of IPv4", prefix)
	}
	mask := binary.BigEndian.AppendUint32(nil, uint32(uint64(1)<<(32-p.Bits())-1))
	return fmt.Sprintf("%s %d.%d.%d.%d", p.Addr(), mask[0], mask[1], mask[2], mask[3]), nil
}
