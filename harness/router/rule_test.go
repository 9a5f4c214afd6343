package router

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/control"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func line(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// views are those of a router that is told nothing but what this test needs.
func views() []View {
	return []View{
		{"show groups", []Rule{
			{Line: line(`^Group (?P<name>\w+), number (?P<group>\S+)`), Begins: Group, Then: "head"},
			{Line: line(`^State (?P<state>\w+)`), In: []string{"head"}, Means: map[string]map[string]string{"state": {"UP": "registered", "DOWN": "idle"}}},
			{Line: line(`^Server (?P<key_server>\S+)`), In: []string{"head"}},
			{Line: line(`^Keys`), Then: "keys"},
			{Line: line(`^ spi (?P<spi>\S+) (?P<cipher>\S+)`), In: []string{"keys"}, Begins: SA},
			{Line: line(`left (?P<left>\S+)`), In: []string{"keys"}},
			{Line: line(`left \S+ sending`), In: []string{"keys"}, Sets: map[string]string{"sending": "true"}},
			{Line: line(`^member (?P<address>\S+) (?P<identity>\S+) acked (?P<acked>\d+)`), Begins: Member},
		}},
		{"show more", []Rule{
			{Line: line(`^more of (?P<name>\w+)`), Begins: Group},
			{Line: line(`^Last (?P<sequence>\d+) KEK (?P<rekey>\S+) for (?P<rekey_left>\S+) at (?P<pseudotime>\S+)`)},
			{Line: line(`^ again (?P<spi>\S+)`), Begins: SA},
			{Line: line(`^ from (?P<selector>.*)`)},
		}},
	}
}

const groups = `Group one, number 77
State UP
Server 192.0.2.10
Keys
 spi 0xAB aes
  left 93
 spi 0xac aes
  left 1:00:05 sending
member 192.0.2.21 gm1 acked 5
Group two, number 10.0.0.1
State DOWN
`

const more = `more of one
Last 5 KEK 0x01 for 296 at 12.50
 again AC
 from 10.0.0.0/8
`

func TestRead(t *testing.T) {
	found := Read(views(), []string{groups, more})
	gm, err := MemberStatus(now, "gm1", found)
	if err != nil {
		t.Fatal(err)
	}
	want := control.GMGroup{
		Group: 77, State: "registered", KeyServer: "192.0.2.10:848", Rekey: strings.Repeat("0", 31) + "1", Sequence: 5, RekeyExpiry: now.Add(296 * time.Second),
		Pseudotime: &control.Pseudotime{Value: "12.50"},
		SAs: []control.SA{{SPI: "000000ab", Cipher: "aes", Expiry: now.Add(93 * time.Second)},
			{SPI: "000000ac", Cipher: "aes", Expiry: now.Add(time.Hour + 5*time.Second), Sending: true, Selector: "10.0.0.0/8"}},
	}
	if d := cmp.Diff(want, gm.GMGroup); d != "" || len(gm.Groups) != 2 || gm.Groups[1].Group != 0x0a000001 || gm.Groups[1].State != "idle" || gm.Name != "gm1" {
		t.Errorf("%s%+v", d, gm.Groups)
	}
	ks, err := KeyServerStatus(now, "ks", found)
	if err != nil || len(ks.Groups) != 2 {
		t.Fatalf("%+v, %v", ks, err)
	}
	g := ks.Groups[0]
	if g.Name != "one" || g.ID != 77 || g.Sequence != 5 || g.Pseudotime != "12.50" || len(g.SAs) != 2 ||
		!reflect.DeepEqual(g.Members, []control.KSMember{{Identity: "gm1", Address: "192.0.2.21:848", Acked: 5, EverAcked: true}}) {
		t.Errorf("%+v", g)
	}
}

// TestTruncated cuts the answers at every octet: what is left is read, or is an error that names a field.
func TestTruncated(t *testing.T) {
	for i := range len(groups) {
		if _, err := MemberStatus(now, "gm", Read(views(), []string{groups[:i], more})); err != nil && !strings.Contains(err.Error(), "router: the field ") {
			t.Error(err)
		}
	}
	if gm, err := MemberStatus(now, "gm", Read(views(), []string{""})); err != nil || gm.State != "" || gm.Memberships()[0].SAs != nil {
		t.Errorf("%+v, %v", gm, err)
	}
}

// What a field cannot hold is an error with its name, never a zero.
func TestFieldsRefuse(t *testing.T) {
	for name, texts := range map[string][]string{
		"group": {"x", "-1", "4294967296", "::1"}, "state": {"UP"}, "key_server": {"there"}, "rekey": {"0x", "xyz", strings.Repeat("1", 33)}, "rekey_left": {"soon", "1:2", "99999999999"},
		"sequence": {"a"}, "pseudotime": {"x"}, "registrations": {"x"}, "rekeys": {"x"},
	} {
		for _, text := range texts {
			if _, err := MemberStatus(now, "gm", []Found{{Thing: Thing{name: text}}}); err == nil || !strings.Contains(err.Error(), "the field "+name+" of a group") {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
	for name, text := range map[string]string{"spi": "123456789", "left": "x", "sending": "perhaps"} {
		if _, err := MemberStatus(now, "gm", []Found{{SAs: []Thing{{name: text}}}}); err == nil {
			t.Errorf("%s %q", name, text)
		}
	}
	for name, text := range map[string]string{"address": "x", "acked": "x", "rekeys": "-", "acks": ""} {
		if _, err := KeyServerStatus(now, "ks", []Found{{Members: []Thing{{name: text}}}}); err == nil {
			t.Errorf("%s %q", name, text)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Line: line(`(?P<spi>x)`), Begins: SA}, ""}, {Rule{Line: line(`(?P<spi>x)`), Begins: Group}, `no field "spi"`}, {Rule{Line: line(`(?P<spo>x)`)}, `no field "spo"`},
		{Rule{Line: line(`x`), Sets: map[string]string{"stat": "idle"}}, `no field "stat"`}, {Rule{Line: line(`x`), Means: map[string]map[string]string{"state": nil}}, `the line finds no "state"`}, {Rule{}, ""},
	} {
		if err := c.rule.Check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.rule, err)
		}
	}
	if names := Fields(""); !slices.Contains(names, "spi") || !slices.Contains(names, "state") || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%q", names)
	}
}

// FuzzRead: every text is read, and what is found is a status or an error.
func FuzzRead(f *testing.F) {
	f.Add(groups, more)
	f.Fuzz(func(t *testing.T, one, two string) {
		found := Read(views(), []string{one, two})
		_, _ = MemberStatus(now, "gm", found)
		if ks, err := KeyServerStatus(now, "ks", found); err == nil && len(ks.Groups) != len(found) {
			t.Error("a group is lost")
		}
	})
}
