package capture_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// tshark reads a capture with a profile and returns the fields of each frame, separated by bars.
func tshark(t *testing.T, profile string, frames []capture.Frame, fields ...string) []string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: nobody else reads the capture")
	}
	file := filepath.Join(t.TempDir(), "capture.pcapng")
	if err := os.WriteFile(file, write(t, frames), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-r", file, "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "WIRESHARK_CONFIG_DIR="+profile)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.String())
	}
	for _, line := range strings.Split(stderr.String(), "\n") {
		if line != "" && !strings.HasPrefix(line, "Running as user") {
			t.Errorf("tshark complains: %s", line)
		}
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

func profile(t *testing.T, keys []keylog.Entry) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "profile")
	if err := capture.WriteProfile(dir, keys); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Wireshark opens ESP and checks its ICV with the profile, and sees the notes and the links.
func TestWiresharkOpensESP(t *testing.T) {
	for name, cipher := range map[string]policy.Cipher{"GCM": policy.CipherAESGCM16, "CBC": policy.CipherAESCBC} {
		t.Run(name, func(t *testing.T) {
			talk := conversation(cipher)
			talk.Frames[espFrame-1].Note = "the first packet"
			dir := profile(t, append(talk.Keys, talk.Keys...)) // each key twice, as two nodes log it
			got := tshark(t, dir, talk.Frames, "frame.interface_name", "frame.comment", "icmp.seq", "_ws.col.Protocol", "udp.checksum.status")
			if want := "wan|the first packet|7|ICMP|"; got[espFrame-1] != want {
				t.Errorf("%q, want %q", got[espFrame-1], want)
			}
			if want := "wan|||ISAKMP|1"; got[pushFrame-1] != want {
				t.Errorf("%q, want %q", got[pushFrame-1], want)
			}
			flip(&talk.Frames[espFrame-1], -1)
			closed := tshark(t, dir, talk.Frames, "_ws.col.Protocol", "icmp.seq")
			if cipher == policy.CipherAESCBC { // of GCM, Wireshark decrypts without checking
				icv := tshark(t, dir, talk.Frames, "esp.icv_bad", "esp.icv_good")
				if icv[espFrame-1] != "1|0" {
					t.Errorf("a wrong ICV: %q, %q", icv[espFrame-1], closed[espFrame-1])
				}
			}
		})
	}
}

// Wireshark opens every transform that its table has, and finds a good ICV unless the sequence numbers are extended, of which
// it sees only half. Of GMAC it knows nothing.
func TestWiresharkOpensEveryTransform(t *testing.T) {
	talk := capturetest.New("transforms", policy.CipherAESGCM16)
	var want []string
	for _, esn := range []bool{false, true} {
		for _, transform := range policy.Transforms() {
			transform.ESN = esn
			talk.NewTransform(transform)
			talk.Sender(1).Send(capturetest.Host1, capturetest.Host2, uint16(len(want)+1))
			line := fmt.Sprintf("%d|1", len(want)+1)
			if esn {
				line = fmt.Sprintf("%d|0", len(want)+1)
			}
			if transform.Cipher == policy.CipherGMAC {
				line = "|"
			}
			want = append(want, line)
		}
	}
	got := tshark(t, profile(t, talk.Keys), talk.Frames, "icmp.seq", "esp.icv_good")
	for i, line := range got[:min(len(got), len(want))] {
		if line != want[i] {
			t.Errorf("frame %d: %q, want %q", i+1, line, want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}

// Wireshark opens Phase 1 and the PULL in the Phase 1 view, and finds good checksums there.
func TestWiresharkOpensPhase1View(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	dir := profile(t, talk.Keys)
	original := tshark(t, dir, talk.Frames, "isakmp.id.data.ipv4_addr", "isakmp.sak.spi", "udp.checksum.status")
	view := tshark(t, dir, capture.Phase1View(talk.Frames), "isakmp.id.data.ipv4_addr", "isakmp.sak.spi", "udp.checksum.status")
	for frame, want := range map[int]string{1: "||1", 2: "||1", mm5: "192.0.2.11||1", mm6: "192.0.2.1||1", pull2: "|" + talk.Rekey.SPI.String() + "|1"} {
		if view[frame-1] != want {
			t.Errorf("frame %d: %q, want %q", frame, view[frame-1], want)
		}
	}
	if original[mm5-1] != "||1" {
		t.Errorf("without the view Wireshark opens Main Mode 5 now (%q): the view is no longer needed", original[mm5-1])
	}
}

// Wireshark opens them under every algorithm, which it learns from the offer.
func TestWiresharkOpensEveryPhase1(t *testing.T) {
	talk := capturetest.New("suites", policy.CipherAESGCM16)
	for _, o := range phase1Suites {
		talk.MainModeUnder(capturetest.GM1, o).Pull(1)
	}
	got := tshark(t, profile(t, talk.Keys), capture.Phase1View(talk.Frames), "isakmp.exchangetype", "isakmp.hash")
	const registration = 10 // messages, of which the first four have no HASH
	for i, line := range got {
		exchange, hash, _ := strings.Cut(line, "|")
		if want := i%registration >= 4; (hash != "") != want {
			t.Errorf("%s: message %d of exchange %s: HASH %q", phase1Suites[i/registration], i%registration+1, exchange, hash)
		}
	}
}

func TestPhase1View(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	frames := slices.Clone(talk.Frames)
	onEthernet := ethernet(frames[0].Packet)
	frames[0] = capture.Frame{Ethernet: onEthernet, Packet: onEthernet[14:]}
	noChecksum := slices.Clone(frames[1].Packet)
	noChecksum[26], noChecksum[27] = 0, 0
	frames[1].Packet = noChecksum
	before := write(t, frames)
	view := capture.Phase1View(frames)
	if string(write(t, frames)) != string(before) {
		t.Error("the frames given were changed")
	}
	for i := range view {
		same := string(view[i].Packet) == string(frames[i].Packet) && string(view[i].Ethernet) == string(frames[i].Ethernet)
		if same == (i < 2) {
			t.Errorf("frame %d is the same: %v", i+1, same)
		}
	}
	for i, m := range capture.Decode(view, nil)[:2] {
		doi, _ := find(m.Payloads, "SA/DOI")
		situation, _ := find(m.Payloads, "SA/Situation")
		if doi.Value != "IPSEC (1)" || situation.Value != "1" {
			t.Errorf("frame %d: DOI %s, situation %s", i+1, doi.Value, situation.Value)
		}
	}
	if string(view[0].Ethernet[14:]) != string(view[0].Packet) {
		t.Error("packet and Ethernet frame differ")
	}
	if view[1].Packet[26] != 0 || view[1].Packet[27] != 0 {
		t.Error("a checksum appeared where none was sent")
	}
}

func TestProfile(t *testing.T) {
	talk := conversation(policy.CipherAESCBC)
	dir := profile(t, talk.Keys)
	for file, want := range map[string]string{
		"preferences":            "esp.enable_encryption_decode: TRUE",
		"decode_as_entries":      "udp.port,848,(none),ISAKMP",
		"ikev1_decryption_table": talk.Keys[len(talk.Keys)-2].CookieI + ",",
		"esp_sa":                 `"AES-CBC [RFC3602]"`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %q, want %q", file, err, text, want)
		}
		if strings.Count(string(text), want) != 1 {
			t.Errorf("%s has a line twice:\n%s", file, text)
		}
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", file, info.Mode())
		}
	}
	empty := profile(t, []keylog.Entry{{Kind: keylog.KindTraffic, SPI: "00000001", Cipher: 99}, {Kind: keylog.KindTraffic, Cipher: 12, Integrity: 9}})
	if text, err := os.ReadFile(filepath.Join(empty, "esp_sa")); err != nil || len(text) != 0 {
		t.Errorf("transforms that have no name there: %q, %v", text, err)
	}
	if err := capture.WriteProfile(filepath.Join(dir, "preferences", "below-a-file"), nil); err == nil {
		t.Error("a folder below a file was made")
	}
}
