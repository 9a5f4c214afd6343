package console

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// none stands for what there is none of.
const (
	none    = "None"
	never   = "never"
	unknown = "n/a"
)

// left are the seconds until a time, none of the past.
func left(now, end time.Time) int { return max(0, int(end.Sub(now)/time.Second)) }

// age writes how long ago something was, or never.
func age(now, at time.Time) string {
	if at.IsZero() {
		return never
	}
	s := int(now.Sub(at) / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// capital writes a word as the labels of a router have it: unicast, Unicast.
func capital(s string) string {
	if s == "" {
		return none
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// kekCipher is the name of the cipher of a KEK: 3DES, AES.
func kekCipher(k *control.KEK) string {
	if strings.HasPrefix(k.Cipher, "3des") {
		return "3DES"
	}
	return "AES"
}

var sigHashes = map[string]string{
	"sha1": "HMAC_AUTH_SHA", "sha256": "HMAC_AUTH_SHA256", "sha384": "HMAC_AUTH_SHA384", "sha512": "HMAC_AUTH_SHA512",
}

// transform writes algorithms as a transform set names them: esp-aes 192 esp-sha-hmac.
func transform(d control.SADetail) string {
	name, bits := d.Transform, ""
	cipher, integrity, _ := strings.Cut(name, "hmac-")
	cipher = strings.TrimSuffix(cipher, "-")
	for _, b := range []string{"128", "192", "256"} {
		if rest, ok := strings.CutPrefix(cipher, "aes"+b); ok {
			cipher, bits = "aes"+rest, b
		}
	}
	words := map[string]string{
		"aes-cbc": "esp-aes", "3des": "esp-3des", "null": "esp-null", "aes-gcm16": "esp-gcm", "aes-gcm12": "esp-gcm-12", "aes-gcm8": "esp-gcm-8",
		"aes-gmac": "esp-gmac", "ah": "",
	}
	text, known := words[cipher]
	if !known {
		return name
	}
	if bits != "" && bits != "128" {
		text += " " + bits
	}
	if integrity != "" {
		text += " " + d.Protocol + "-" + strings.Replace(integrity, "sha1", "sha", 1) + "-hmac"
	}
	return strings.TrimSpace(text)
}

// replaySeconds is a duration such as 100s as a number of seconds.
func replaySeconds(window string) string {
	d, err := time.ParseDuration(window)
	if err != nil {
		return window
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}

// encaps is the name of a mode.
func encaps(mode string) string {
	return "ENCAPS_" + strings.ToUpper(strings.ReplaceAll(mode, "-", "_"))
}

// saDirection is the name of a direction.
func saDirection(word string) string {
	switch word {
	case "sender-only":
		return "Outbound Only"
	case "receiver-only":
		return "Inbound Only"
	}
	return "Both"
}

// spiText is an SPI in hexadecimal and decimal.
func spiText(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return hex
	}
	return fmt.Sprintf("0x%X(%d)", n, n)
}

// rekeySPI is the SPI of a Rekey SA: both cookies.
func rekeySPI(hex string) string { return "0x" + strings.ToUpper(hex) }

var protocolNames = map[uint8]string{0: "ip", 1: "icmp", 2: "igmp", 4: "ipinip", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 51: "ahp", 58: "icmp",
	88: "eigrp", 89: "ospf", 103: "pim", 132: "sctp"}

func protocolName(n uint8) string {
	if name, ok := protocolNames[n]; ok {
		return name
	}
	return strconv.Itoa(int(n))
}

// aceOf writes the packets of an SA as an entry of an access list does.
func aceOf(action string, d control.SADetail) string {
	return fmt.Sprintf("%s %s %s %s", action, protocolName(d.IPProtocol), aceEnd(d.Source, d.SourcePort), aceEnd(d.Destination, d.DestinationPort))
}

func aceEnd(prefix string, port uint16) string {
	text := aceNetwork(prefix)
	if port != 0 {
		text += fmt.Sprintf(" port = %d", port)
	}
	return text
}

// aceNetwork writes a prefix with a mask of the bits that do not matter.
func aceNetwork(prefix string) string {
	p, err := netip.ParsePrefix(prefix)
	switch {
	case err != nil:
		return prefix
	case p.Bits() == 0:
		return "any"
	case p.IsSingleIP():
		return "host " + p.Addr().String()
	case !p.Addr().Is4():
		return p.String()
	}
	mask := ^uint32(0) >> p.Bits()
	return fmt.Sprintf("%s %d.%d.%d.%d", p.Addr(), byte(mask>>24), byte(mask>>16), byte(mask>>8), byte(mask))
}

// identOf writes one side of an SA as the tables of SAs do.
func identOf(prefix string, port uint16) string {
	if p, err := netip.ParsePrefix(prefix); err == nil && p.Bits() == 0 {
		prefix = "ANY"
	}
	return fmt.Sprintf("%s, port = %d", prefix, port)
}

// numbers writes a ring of sequence numbers, whose empty places are 0.
func numbers(ring []uint32) string {
	texts := []string{"0", "0", "0", "0"}
	for i, n := range ring {
		texts[i%len(texts)] = strconv.FormatUint(uint64(n), 10)
	}
	return strings.Join(texts, " ")
}

// host is the address in front of a port.
func host(addressPort string) string {
	if a, err := netip.ParseAddrPort(addressPort); err == nil {
		return a.Addr().String()
	}
	return addressPort
}
