package verdict_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var demoDir = flag.String("demo", "", "folder to leave the demonstration report in")

// demoSpecs are specs as a run has them: subject, requirement, role and what is tested.
const demoSpecs = `
phase1 RFC6407-2.1-01 GM|offers Phase 1 with DOI 2
phase1 RFC6407-2.1-02 KS|answers Phase 1 with DOI 2
phase1 RFC6407-2.2-01 KS|listens on UDP 848
phase1 RFC6407-2-01 KS|serves a PULL only under an established Phase 1 SA
phase1 RFC6407-2-02 GM|begins the PULL only after Phase 1 has completed
registration RFC6407-3.2-01 KS|registers a member in four messages
registration RFC6407-3.2-02 GM|authenticates message 1 with HASH(1)
registration RFC6407-3.2-03 KS|authenticates message 2 with HASH(2)
registration RFC6407-3.2-04 GM|authenticates message 3 with HASH(3)
registration RFC6407-3.2-05 KS|authenticates message 4 with HASH(4)
registration RFC6407-3.2-06 KS|leaves encryption padding out of the hashes
registration RFC6407-3.2-08 KS|changes nothing before HASH(3) has verified
registration RFC6407-3.2-13 KS|sends SEQ exactly when there is a SAK
registration RFC6407-3.2-14 KS|sends the last sequence number used
registration RFC6407-3.3-01 GM|refuses policy whose HASH(2) is wrong
registration RFC6407-3.3-02 GM|deletes Phase 1 when the policy is not acceptable
registration RFC6407-3.3-06 GM|binds keys to policy by SPI alone
registration RFC6407-3.4-01 KS|refuses a group that the member may not join
registration RFC6407-3.1-04 KS|authorises by the identity proven in Phase 1
registration RFC6407-3.2.1-04 GM|keeps one Message ID through the exchange
policy RFC6407-5.2-05 KS|sends DOI 2 in the SA payload
policy RFC6407-5.2-06 KS|sends situation 0 in the SA payload
policy RFC6407-5.2.1-04 KS|orders SAK, GAP and SAT
policy RFC6407-5.3-11 KS|sends no KEK_MANAGEMENT_ALGORITHM in a PULL
policy RFC6407-5.3.2-01 GM|gives up on an attribute that it does not know
policy RFC6407-5.3.4-01 KS|sends a KEK lifetime of four octets
policy RFC6407-5.5.1-09 KS|sends no Group Description
policy RFC6407-5.6-03 KS|names in KD the SPIs of SAK and SAT
rekey RFC6407-4-01 KS|orders the payloads of a PUSH
rekey RFC6407-4-02 KS|signs header and payloads before encryption
rekey RFC6407-4-03 KS|encrypts the PUSH with the current KEK
rekey RFC6407-4.2-01 KS|uses the SPI of the SAK as cookie pair
rekey RFC6407-4.2-05 KS|sends Message ID 0
rekey RFC6407-4.3-01 KS|counts the PUSH messages without a gap
rekey RFC6407-4.4-02 GM|drops a rekey whose SEQ is not greater than the last
rekey RFC6407-4.4-03 GM|drops a rekey whose signature is wrong
rekey RFC6407-4.4-04 GM|installs the SAs of an accepted rekey
rekey RFC6407-4-05 GM|replaces the Rekey SA when a SAK comes
ack RFC8263-2-01 GM|acknowledges a rekey when asked to
ack RFC8263-3.2-01 GM|authenticates the acknowledgement with the KEK
dataplane RFC6407-5.5.1.1.1-01 GM|preserves both addresses
dataplane RFC6407-3.5-01 GM|never uses an IV twice
dataplane RFC6407-3.5-03 KS|gives a Sender-ID to one member only
dataplane RFC4303-2.2-01 GM|counts the packets that it sends
dataplane RFC4303-3.4.4.2-01 GM|drops a packet whose ICV is wrong
timers RFC6407-5.4.1-01 GM|sends with a new SA after the activation delay
timers RFC6407-5.4.1-02 GM|drops a replaced SA after the deactivation delay
timers RFC6407-5.4.1-03 GM|loses nothing between activation and deactivation
`

// demoOutcomes are the specs that do not pass.
var demoOutcomes = map[string]struct {
	verdict verdict.Verdict
	reason  string
}{
	"rekey-35":        {verdict.Fail, "the member sent under SPI 10007e02 after a PUSH with SEQ 1, the number that it had accepted before"},
	"registration-16": {verdict.Fail, "no Informational with Delete came within 5 s of a SAT with transform 99"},
	"timers-47":       {verdict.Inconclusive, "the second rekey did not arrive: the member never had two SAs at a time"},
	"phase1-3":        {verdict.Unsupported, "the manifest says that the device serves UDP 4848 only"},
	"dataplane-45":    {verdict.Skipped, "needs a kernel, which the memory fabric has not"},
}

// demo makes a run with evidence for every spec.
func demo(t testing.TB, dir string, redact bool) *verdict.Run {
	run := &verdict.Run{Tool: "gdoilab", Version: "0.1.0", Start: capturetest.Start, Seconds: 3.72, Fabric: "memory", Seed: "20260304",
		DUT: "reference GM 0.1.0", Redacted: redact}
	for i, line := range strings.Split(strings.TrimSpace(demoSpecs), "\n") {
		head, name, _ := strings.Cut(line, "|")
		f := strings.Fields(head)
		id := fmt.Sprintf("%s-%d", f[0], i+1)
		s := verdict.Spec{ID: id, Name: name, Subject: f[0], Requirements: f[1:2], DUT: f[2], Fabric: "memory", Verdict: verdict.Pass,
			Seconds: 0.004 + float64(i%7)*0.011, Evidence: "evidence/" + id, Repeat: "gdoilab run --spec " + id + " --seed 20260304 --fabric memory"}
		if o, ok := demoOutcomes[id]; ok {
			s.Verdict, s.Reason = o.verdict, o.reason
		}
		if s.Verdict == verdict.Skipped || s.Verdict == verdict.Unsupported {
			s.Evidence, s.Seconds, s.Needs = "", 0, []string{"kernel"}
		}
		s.Negative = strings.HasPrefix(name, "drops") || strings.HasPrefix(name, "refuses")
		run.Specs = append(run.Specs, s)
		if s.Evidence != "" {
			e := demoEvidence(s)
			if err := e.Write(filepath.Join(dir, s.Evidence), redact); err != nil {
				t.Fatal(err)
			}
		}
	}
	return run
}

// demoTalks are the conversations made so far, by spec.
var demoTalks = make(map[string]*capturetest.Talk)

// demoEvidence is the evidence of one spec.
func demoEvidence(s verdict.Spec) *verdict.Evidence {
	talk := demoTalks[s.ID]
	if talk == nil {
		talk = demoTalk(s)
		demoTalks[s.ID] = talk
	}
	return &verdict.Evidence{Spec: s, Seed: "20260304", Frames: slices.Clone(talk.Frames), Keys: talk.Keys,
		Nodes:  map[string]string{"192.0.2.1": "KS", "192.0.2.11": "GM1", "192.0.2.12": "GM2", "10.1.0.10": "host1", "10.2.0.10": "host2"},
		Syslog: []string{"<189>1 2026-03-04T09:00:00Z gm1 gdoi-gm - REGISTERED - group 1001"}, Control: []string{`{"id":1,"command":"status"}`}}
}

// demoTalk is the traffic of one spec: two members register, exchange group traffic, are rekeyed and acknowledge.
func demoTalk(s verdict.Spec) *capturetest.Talk {
	talk := capturetest.New(s.ID, policy.CipherAESGCM16)
	p := talk.Register(capturetest.GM1, 1)
	if s.Subject != "phase1" {
		talk.Register(capturetest.GM2, 2)
	}
	traffic(talk, 12)
	if s.Subject == "registration" && s.Negative {
		p.Inform(true, isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}})
	}
	if s.Subject != "phase1" && s.Subject != "registration" {
		talk.Wait(30 * time.Minute)
		talk.NewTEK(policy.CipherAESGCM16)
		talk.Push()
		talk.Ack(capturetest.GM1)
		talk.Ack(capturetest.GM2)
		talk.Wait(5 * time.Second)
		traffic(talk, 40)
	}
	if s.ID == "rekey-35" {
		talk.Sequence--
		talk.Push()
		talk.Last().Note = "SEQ 1 again"
		talk.Push()
		talk.Last().Note = "withheld on the wire"
		talk.Frames[len(talk.Frames)-1].Packet[200] ^= 1
		traffic(talk, 3)
	}
	return talk
}

func traffic(talk *capturetest.Talk, n uint16) {
	one, two := talk.Sender(1), talk.Sender(2)
	for i := range n {
		talk.Echo("lan1", capturetest.Host1, capturetest.Host2, i)
		one.Send(capturetest.Host1, capturetest.Host2, i)
		two.Send(capturetest.Host2, capturetest.Host1, i)
	}
}

// TestDemonstration makes the reports of a realistic run. With -demo FOLDER they stay there, to be looked at.
func TestDemonstration(t *testing.T) {
	dir := *demoDir
	if dir == "" {
		dir = t.TempDir()
	}
	start := time.Now()
	run := demo(t, dir, false)
	evidence := time.Since(start)
	start = time.Now()
	if err := verdict.WriteAll(dir, run); err != nil {
		t.Fatal(err)
	}
	t.Logf("conversations and evidence of %d specs in %v, reports in %v", len(run.Specs), evidence, time.Since(start))
	info, err := os.Stat(filepath.Join(dir, verdict.ReportHTML))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < 500_000 || info.Size() > 3_000_000 {
		t.Errorf("the page has %d octets", info.Size())
	}
}
