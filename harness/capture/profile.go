package capture

import (
	"fmt"
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

// espLine is an SA as Wireshark's table "esp_sa" has it. Addresses are any: with address preservation they are those of
// the hosts.
func espLine(k keylog.Entry) string {
	switch policy.Cipher(k.Cipher) {
	case policy.CipherAESGCM16:
		return fmt.Sprintf(`"IPv4","*","*","0x%s","AES-GCM with 16 octet ICV [RFC4106]","0x%s","NULL",""`, k.SPI, k.CipherKey)
	case policy.CipherAESCBC:
		if policy.Integrity(k.Integrity) != policy.IntegrityHMACSHA256 {
			return ""
		}
		return fmt.Sprintf(`"IPv4","*","*","0x%s","AES-CBC [RFC3602]","0x%s","HMAC-SHA-256-128 [RFC4868]","0x%s"`, k.SPI, k.CipherKey, k.IntegrityKey)
	}
	return ""
}

// ikev1Line is a Phase 1 SA as Wireshark's "ikev1_decryption_table" has it.
func ikev1Line(k keylog.Entry) string { return k.CookieI + "," + k.CipherKey }
