package capture

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// The files of a Wireshark profile.
const (
	profilePreferences = "preferences"
	profileESP         = "esp_sa"
	profileIKEv1       = "ikev1_decryption_table"
	profileDecodeAs    = "decode_as_entries"
)

// preferences switch on what Wireshark leaves off: decrypting ESP and checking its ICV.
const preferences = `# Made for one capture. Copy this folder into Wireshark's "profiles" and choose it there, or name it to tshark:
#   WIRESHARK_CONFIG_DIR=<this folder> tshark -r capture.pcapng
# ESP opens in capture.pcapng. Phase 1 and GROUPKEY-PULL open in phase1.pcapng: Wireshark reads a Phase 1 SA with the DOI
# of GDOI in another layout and gives up, so that copy says the DOI of IPsec instead. A PUSH stays closed in both.
esp.enable_null_encryption_decode_heuristic: FALSE
esp.enable_encryption_decode: TRUE
esp.enable_authentication_check: TRUE
`

// decodeAs tells Wireshark that UDP port 848 carries ISAKMP.
const decodeAs = "decode_as_entry: udp.port,848,(none),ISAKMP\n"

// WriteProfile writes a Wireshark profile into dir, which is made if it is missing: the keys of ESP and of Phase 1 in
// its tables, and what else it takes to decrypt a capture of theirs. The files hold keys: their mode is 0600.
func WriteProfile(dir string, keys []keylog.Entry) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	for name, text := range map[string]string{
		profilePreferences: preferences,
		profileESP:         table(keys, keylog.KindTraffic, espLine),
		profileIKEv1:       table(keys, keylog.KindPhase1, ikev1Line),
		profileDecodeAs:    decodeAs,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("capture: %w", err)
		}
	}
	return nil
}

// table makes one line for each key of that kind, each line once.
func table(keys []keylog.Entry, kind string, line func(keylog.Entry) string) string {
	var lines []string
	for _, k := range keys {
		if k.Kind != kind {
			continue
		}
		if l := line(k); l != "" && !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	if lines == nil {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// The names of algorithms in Wireshark's table "esp_sa". It has none for GMAC, and no column for extended sequence numbers: of
// them it can check no HMAC, so that the name only says how long the ICV is.
var (
	espCiphers = map[policy.Cipher]string{
		policy.CipherAESGCM16: "AES-GCM with 16 octet ICV [RFC4106]",
		policy.CipherAESGCM12: "AES-GCM with 12 octet ICV [RFC4106]",
		policy.CipherAESGCM8:  "AES-GCM with 8 octet ICV [RFC4106]",
		policy.CipherAESCBC:   "AES-CBC [RFC3602]",
		policy.Cipher3DES:     "TripleDES-CBC [RFC2451]",
		policy.CipherNULL:     "NULL",
	}
	espIntegrities = map[policy.Integrity]string{
		policy.IntegrityNone:       "NULL",
		policy.IntegrityHMACSHA1:   "HMAC-SHA-1-96 [RFC2404]",
		policy.IntegrityHMACSHA256: "HMAC-SHA-256-128 [RFC4868]",
		policy.IntegrityHMACSHA384: "HMAC-SHA-384-192 [RFC4868]",
		policy.IntegrityHMACSHA512: "HMAC-SHA-512-256 [RFC4868]",
	}
)

// espLine is an SA as Wireshark's table "esp_sa" has it, "" if it cannot. Addresses are any: with address preservation they
// are those of the hosts.
func espLine(k keylog.Entry) string {
	cipher, integrity := espCiphers[policy.Cipher(k.Cipher)], espIntegrities[policy.Integrity(k.Integrity)]
	t := policy.Transform{Cipher: policy.Cipher(k.Cipher), KeyBits: k.KeyBits, Integrity: policy.Integrity(k.Integrity)}
	if cipher == "" || integrity == "" || t.Check() != nil {
		return ""
	}
	integrityKey := k.IntegrityKey
	if form, ok := t.Integrity.Form(); ok && k.ESN {
		integrity, integrityKey = fmt.Sprintf("ANY %d bit authentication [no checking]", 8*form.ICV), ""
	}
	version := "IPv4"
	if source, err := netip.ParsePrefix(k.Source); err == nil && source.Addr().Is6() {
		version = "IPv6"
	}
	return fmt.Sprintf(`"%s","*","*","0x%s","%s","%s","%s","%s"`, version, k.SPI, cipher, octets(k.CipherKey), integrity, octets(integrityKey))
}

// octets is a key as the tables have it.
func octets(key string) string {
	if key == "" {
		return ""
	}
	return "0x" + key
}

// ikev1Line is a Phase 1 SA as Wireshark's "ikev1_decryption_table" has it.
func ikev1Line(k keylog.Entry) string { return k.CookieI + "," + k.CipherKey }
