package verdict_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func content(t *testing.T, parts ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEvidence(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence", "rekey-35")
	e := demoEvidence(verdict.Spec{ID: "rekey-35", Subject: "rekey", Verdict: verdict.Pass, DUT: "GM"})
	if err := e.Write(dir, false); err != nil {
		t.Fatal(err)
	}
	want := []string{"capture.pcapng", "control.jsonl", "keys.json", "messages.json", "phase1.pcapng", "spec.json", "syslog.log", "wireshark"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := names(t, filepath.Join(dir, "wireshark")); len(got) != 4 {
		t.Errorf("the profile has %v", got)
	}
	frames, err := capture.Read(bytes.NewReader(content(t, dir, "capture.pcapng")))
	if err != nil || !reflect.DeepEqual(frames, e.Frames) {
		t.Errorf("the capture does not have the frames: %v", err)
	}
	var keys struct{ Entries []keylog.Entry }
	if err := json.Unmarshal(content(t, dir, "keys.json"), &keys); err != nil || !reflect.DeepEqual(keys.Entries, e.Keys) {
		t.Errorf("keys.json does not have the keys: %v", err)
	}
	validate(t, schema.Spec, content(t, dir, "spec.json"))
	talk, err := capture.ReadJSON(bytes.NewReader(content(t, dir, "messages.json")))
	if err != nil || len(talk.Messages) != len(frames) || talk.Nodes[1].Name != "GM1" {
		t.Errorf("%v, %v", talk.Nodes, err)
	}
	if !reflect.DeepEqual(talk.Messages, capture.Decode(frames, keys.Entries)) {
		t.Error("capture and keys of the folder do not decode to its conversation")
	}
	if info, err := os.Stat(filepath.Join(dir, "keys.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("keys.json can be read by others: %v, %v", info.Mode(), err)
	}
	if got := string(content(t, dir, "syslog.log")); got != strings.Join(e.Syslog, "\n")+"\n" {
		t.Errorf("%q", got)
	}
}

func TestEvidenceOfNothing(t *testing.T) {
	dir := t.TempDir()
	if err := (&verdict.Evidence{}).Write(dir, false); err != nil {
		t.Fatal(err)
	}
	if got := string(content(t, dir, "keys.json")); !strings.Contains(got, `"entries": []`) {
		t.Errorf("%s", got)
	}
	file := filepath.Join(dir, "keys.json")
	if err := (&verdict.Evidence{}).Write(filepath.Join(file, "below"), false); err == nil {
		t.Error("a folder below a file was made")
	}
}

// Keys are found in lines of text in all the forms in which programs print them; names that travel in clear stay.
func TestRedactedLines(t *testing.T) {
	talk := capturetest.New("lines", policy.CipherAESCBC)
	talk.Register(capturetest.GM1, 1)
	key := talk.Rekey.Key
	var spaced, goHex []string
	for _, b := range key {
		spaced = append(spaced, fmt.Sprintf("%02x", b))
		goHex = append(goHex, fmt.Sprintf("%#02x", b))
	}
	cookies := ""
	for _, k := range talk.Keys {
		cookies = max(cookies, k.CookieI+k.CookieR)
	}
	spi := talk.Rekey.SPI.String()
	e := &verdict.Evidence{Keys: talk.Keys, Frames: talk.Frames, Seed: "7", Syslog: []string{
		"plain " + hex.EncodeToString(key) + " end",
		"capitals " + strings.ToUpper(hex.EncodeToString(key)) + " end",
		"prefix 0x" + hex.EncodeToString(key) + " end",
		"spaced " + strings.Join(spaced, " ") + " end",
		"colons " + strings.Join(spaced, ":") + " end",
		"list " + strings.Join(goHex, ", ") + " end",
		"decimal " + fmt.Sprint(key) + " end",
		"gomega <[]uint8 | len:16, cap:16>: [" + strings.Join(strings.Fields(strings.Trim(fmt.Sprint(key), "[]")), ", ") + "] end",
		"long " + hex.EncodeToString(talk.SAs[0].IntegrityKey) + " end",
	}, Control: []string{
		`{"rekey":"` + spi + `","phase1":"` + cookies + `"}`,
		"2026-03-04T09:00:00Z SPI 10007e01 seq 1 2 3 from 192.0.2.1 to 192.0.2.2",
		"RFC6407-4.4-02 dead beef cafe 12 34",
	}}
	e.Frames[0].Note = "key " + hex.EncodeToString(key)
	e.Spec.ID, e.Spec.Verdict = "x", verdict.Fail
	e.Spec.Reason, e.Spec.Repeat = "got "+hex.EncodeToString(key), "gdoilab run --spec x --seed 7 --fabric memory"
	dir := t.TempDir()
	if err := e.Write(dir, true); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(content(t, dir, "syslog.log"))), "\n") {
		word, _, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(e.Syslog[i], word) || !strings.Contains(line, capture.Redacted) || !strings.HasSuffix(line, " end") ||
			strings.Contains(strings.ToLower(line), spaced[7]+spaced[8]) || strings.Contains(line, fmt.Sprint(key[7])+" ") {
			t.Errorf("%q became %q", e.Syslog[i], line)
		}
	}
	if got := string(content(t, dir, "control.jsonl")); got != strings.Join(e.Control, "\n")+"\n" {
		t.Errorf("what is no secret was taken:\n%s", got)
	}
	for _, name := range names(t, dir) {
		text := content(t, dir, name)
		if bytes.Contains(text, []byte(hex.EncodeToString(key))) || name == "spec.json" && !bytes.Contains(text, []byte("--seed SEED --fabric")) {
			t.Errorf("%s: %s", name, text)
		}
	}
	validate(t, schema.Spec, content(t, dir, "spec.json"))
	if e.Syslog[0] != "plain "+hex.EncodeToString(key)+" end" || e.Frames[0].Note[:4] != "key " || e.Seed != "7" {
		t.Error("the evidence itself was changed")
	}
}
