package verdict

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
)

func packet(frame int, kind, from, to, spi string) capture.Message {
	m := capture.Message{Frame: frame, Kind: kind, From: netip.AddrPortFrom(netip.MustParseAddr(from), 0), To: netip.AddrPortFrom(netip.MustParseAddr(to), 0),
		Summary: fmt.Sprintf("SPI %s seq %d", spi, frame)}
	if spi != "" {
		m.Payloads = []capture.Field{{Name: "SPI", Value: spi}}
	}
	return m
}

const a, b, ks, gm = "10.1.0.1", "10.2.0.1", "192.0.2.1", "192.0.2.11"

func TestRowsGroupDataPackets(t *testing.T) {
	marked := packet(4, capture.KindESP, a, b, "00000001")
	marked.Note = "replayed"
	bad := packet(9, capture.KindESP, a, b, "00000001")
	bad.Checks = []capture.Check{{Name: "ICV", Result: capture.Bad}}
	got := rows([]capture.Message{
		packet(1, capture.KindESP, a, b, "00000001"),
		packet(2, capture.KindESP, b, a, "00000001"),
		packet(3, capture.KindESP, a, b, "00000001"), // with 1
		marked, // alone
		packet(5, capture.KindESP, a, b, "00000002"), // another SPI
		packet(6, capture.KindClear, a, b, ""),
		packet(7, "PUSH", ks, gm, ""),
		packet(8, capture.KindESP, a, b, "00000001"), // after the PUSH: afresh
		bad, // alone
		packet(10, "PUSH", ks, gm, ""),
		packet(11, "PUSH", ks, gm, ""),
	})
	var text []string
	for _, r := range got {
		text = append(text, fmt.Sprintf("%d×%d", len(r.messages), r.first.Frame))
	}
	if s, want := strings.Join(text, " "), "2×1 1×2 1×4 1×5 1×6 1×7 1×8 1×9 1×10 1×11"; s != want {
		t.Errorf("%s, want %s", s, want)
	}
}

func TestElide(t *testing.T) {
	var messages []capture.Message
	for i := range 100 {
		messages = append(messages, packet(i+1, "PUSH", ks, gm, ""))
	}
	all := rows(messages)
	kept, at, skipped := elide(all, 30)
	if len(kept) != 30 || at != 10 || skipped != 70 || kept[9].first.Frame != 10 || kept[10].first.Frame != 81 {
		t.Errorf("%d kept, at %d, %d skipped", len(kept), at, skipped)
	}
	if kept, at, skipped := elide(all, 100); len(kept) != 100 || at != -1 || skipped != 0 {
		t.Errorf("%d kept, at %d, %d skipped", len(kept), at, skipped)
	}
	if all[99].first.Frame != 100 || all[10].first.Frame != 11 {
		t.Error("the rows given were changed")
	}
}

func TestLanes(t *testing.T) {
	var messages []capture.Message
	for i := range 12 {
		messages = append(messages, packet(i+1, "PULL1", fmt.Sprintf("192.0.2.%d", i+11), ks, ""))
	}
	messages = append(messages, packet(13, "PUSH", ks, "239.1.1.1", ""), packet(14, "PUSH", "192.0.2.99", ks, ""))
	nodes := capture.Nodes(messages, nil)
	nodes = append(nodes[:len(nodes):len(nodes)], capture.Node{Address: "10.9.9.9", Name: "silent", Role: capture.RoleHost})
	s := lanes(nodes, rows(messages))
	if len(s.Lanes) != maxLanes || s.Lanes[0].Name != "KS1" || s.Lanes[0].X != laneLeft || s.Lanes[maxLanes-1].X != laneRight ||
		s.Lanes[maxLanes-1].Name != "others" || s.Lanes[maxLanes-1].Address != "8 addresses" {
		t.Errorf("%+v", s.Lanes)
	}
	from, to := s.span(&messages[12])
	if from != laneLeft || len(to) != 5 {
		t.Errorf("a PUSH to the group goes from %d to %v", from, to)
	}
	if _, to := s.span(&capture.Message{}); to != nil {
		t.Errorf("a message of nobody goes to %v", to)
	}
	one := lanes(nodes[:1], rows([]capture.Message{packet(1, "PUSH", "192.0.2.1", "239.1.1.1", "")}))
	if len(one.Lanes) != 1 || one.Lanes[0].X <= laneLeft {
		t.Errorf("%+v", one.Lanes)
	}
}

// A spec with very many messages does not make the page large.
func TestDrawKeepsToItsBudget(t *testing.T) {
	var messages []capture.Message
	for i := range 5000 {
		m := packet(i+1, "PUSH", ks, gm, "")
		m.At = time.Unix(int64(i), 0)
		m.Payloads = []capture.Field{{Name: "SIG", Value: strings.Repeat("<&", 2000)}}
		messages = append(messages, m)
	}
	d := draw("x", capture.Conversation{Messages: messages, Nodes: capture.Nodes(messages, nil)}, 50_000)
	size := 0
	for _, a := range d.Arrows {
		size += rowCost + len(a.Fields)
	}
	if size > 60_000 || d.Shown+d.Elided != 5000 || d.Frames != 5000 || len(d.Arrows) != d.Shown {
		t.Errorf("%d octets, %d shown, %d elided", size, d.Shown, d.Elided)
	}
}

func TestBudgets(t *testing.T) {
	specs := make([]Spec, 100)
	for i := range specs {
		specs[i].Verdict = Pass
	}
	specs[7].Verdict = Fail
	share, total := budgets(specs), 0
	for _, n := range share {
		total += n
	}
	if total > pageBudget || share[7] != 4*share[0] {
		t.Errorf("%d in all, %d and %d", total, share[7], share[0])
	}
	if share := budgets(specs[:1]); share[0] != specBudget {
		t.Errorf("one spec alone gets %d", share[0])
	}
	if share := budgets(nil); len(share) != 0 {
		t.Errorf("%v", share)
	}
}

func TestSince(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0.000 s", 1234567 * time.Microsecond: "1.235 s", 75 * time.Second: "75.0 s",
		30*time.Minute + 5*time.Second + 70*time.Millisecond: "0:30:05.0", 26*time.Hour + 59*time.Second: "26:00:59.0", -time.Second: "-1.000 s"} {
		if got := since(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	m := packet(9, capture.KindESP, a, b, "00000001")
	m.Link = "wan"
	r := row{first: &m, messages: []*capture.Message{&m, &m, &m}}
	if title(r) != "3 × ESP 00000001 on wan" || content(r) != "seq 9 … seq 9" {
		t.Errorf("%s / %s", title(r), content(r))
	}
	again := packet(3, "PUSH", ks, "239.1.1.1", "")
	again.Repeats, again.Summary = 1, strings.Repeat("é", 200)
	r = row{first: &again, messages: []*capture.Message{&again}}
	if title(r) != "GROUPKEY-PUSH → 239.1.1.1 (same as #1)" || len([]rune(content(r))) != 84 {
		t.Errorf("%s / %s", title(r), content(r))
	}
	for s, want := range map[float64]string{0: "0 ms", 0.0123: "12 ms", 0.5: "0.50 s", 250.4: "250 s"} {
		if got := seconds(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
	if anchor("a b/ü.c_1-2") != "a-b--.c_1-2" || percent(1, 0) != "0" || percent(1, 4) != "25.000" {
		t.Error(anchor("a b/ü.c_1-2"), percent(1, 0), percent(1, 4))
	}
}
