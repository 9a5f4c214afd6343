package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Each form of anti-replay comes back from a configuration, with the windows that it stands for.
func TestAntiReplayRoundTrip(t *testing.T) {
	for _, c := range []struct {
		replay  policy.AntiReplay
		packets int
		time    time.Duration
	}{
		{policy.AntiReplay{}, 64, 0},
		{policy.AntiReplay{Method: policy.ReplayCounter}, 64, 0},
		{policy.AntiReplay{Method: policy.ReplayCounter, Counter: 512}, 512, 0},
		{policy.AntiReplay{Method: policy.ReplayNone}, 0, 0},
		{policy.AntiReplay{Method: policy.ReplayTime}, 0, 100 * time.Second},
		{policy.AntiReplay{Method: policy.ReplayTime, Window: 20 * time.Second}, 0, 20 * time.Second},
		{policy.AntiReplay{Method: policy.ReplayTime, Window: time.Second, Tick: time.Second}, 0, time.Second},
	} {
		k := fullKeyServer(t)
		k.Replay = policy.ReplayAttributes{Counter: 1, Window: 32767, Tick: 3, Pseudotime: 4, Tag: 5}
		k.Groups[0].SAs[0].Tag = c.packets == 0
		k.Groups[0].SAs[0].AntiReplay, k.Groups[0].Rekey.Sync = c.replay, 30*time.Minute
		text, err := policy.MarshalKeyServer(k, "sign.pem")
		if err != nil {
			t.Fatal(err)
		}
		got, err := policy.ParseKeyServer("ks.yaml", text, func(string) ([]byte, error) { return policy.SigningKeyPEM(k), nil })
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(k, got, compare, compareAddrs); diff != "" {
			t.Errorf("-want +got\n%s\n%s", diff, text)
		}
		if c.replay.Packets() != c.packets || c.replay.Time() != c.time || c.replay.Ticks() == 0 {
			t.Errorf("%+v: %d packets, %v, ticks of %v", c.replay, c.replay.Packets(), c.replay.Time(), c.replay.Ticks())
		}
	}
}

func TestMetadataRoundTrip(t *testing.T) {
	want := fullMember()
	want.Replay, want.Metadata = policy.ReplayAttributes{Window: 32010}, policy.Metadata{Protocol: 253, Length: 16, Tag: 65535, Lacking: true}
	if diff := cmp.Diff(want, memberRoundTrip(t, want), compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	complete := policy.ReplayAttributes{Counter: 32001, Window: 32010, Tick: 32003, Pseudotime: 32004, Tag: 32005}
	if got := want.Replay.Complete(); got != complete {
		t.Errorf("%+v", got)
	}
}

func TestAntiReplayFaults(t *testing.T) {
	sa := func(text string) string { return "transform: aes128-gcm16\n        " + text }
	for _, f := range []fault{
		{"both", "transform: aes128-gcm16", sa("anti_replay: {time: 100s, counter: 64}"), []string{
			"ks.yaml:21:22: groups[0].sas[0].anti_replay: packets are counted or their times are looked at; write {counter: 64} or {time: 100s}"}},
		{"neither", "transform: aes128-gcm16", sa("anti_replay: {tick: 1s}"), []string{
			"ks.yaml:21:22: groups[0].sas[0].anti_replay: packets are counted or their times are looked at; write {counter: 64} or {time: 100s}"}},
		{"tick of a counter", "transform: aes128-gcm16", sa("anti_replay: {counter: 64, tick: 1s}"), []string{
			`ks.yaml:21:22: groups[0].sas[0].anti_replay: only times have a tick; leave out the field "tick"`}},
		{"method", "transform: aes128-gcm16", sa("anti_replay: tme"), []string{
			`ks.yaml:21:22: groups[0].sas[0].anti_replay: "tme" is unknown; known are counter, time, none`}},
		{"window", "transform: aes128-gcm16", sa("anti_replay: {time: 0s}"), []string{
			"ks.yaml:21:29: groups[0].sas[0].anti_replay.time: 0s is out of range; it must be from 1s to 65535s"}},
		{"esn", "transform: aes128-gcm16", sa("esn: true\n        anti_replay: time"), []string{
			"ks.yaml:18:9: groups[0].sas[0]: extended sequence numbers need a window over them; take out esn or write anti_replay: counter"}},
		{"numbers", "name: ks1", "name: ks1\nreplay_attributes: {counter: 32002}", []string{
			"ks.yaml:3:20: replay_attributes: two attributes have the same number; give each one of its own"}},
	} {
		t.Run(f.name, func(t *testing.T) {
			_, err := policy.ParseKeyServer("ks.yaml", []byte("profile: getvpn\n"+f.apply(t, keyServerYAML)), keys(t))
			f.check(t, err)
		})
	}
}

// What belongs to the profile is refused elsewhere, with its place.
func TestAntiReplayProfile(t *testing.T) {
	for _, f := range []fault{
		{"an SA", "transform: aes128-gcm16", "transform: aes128-gcm16\n        anti_replay: none", []string{
			"ks.yaml:9:5: groups[0]: SA 1 has anti_replay, which is for profile getvpn"}},
		{"the rekey", "transport: unicast", "transport: unicast\n      pseudotime_sync: 30m", []string{
			"ks.yaml:9:5: groups[0]: the rekey has pseudotime_sync, which is for profile getvpn"}},
		{"a tag", "transform: aes128-gcm16", "transform: aes128-gcm16\n        tag: cts-sgt", []string{
			"ks.yaml:9:5: groups[0]: SA 1 has a tag, which is for profile getvpn"}},
		{"the numbers", "name: ks1", "name: ks1\nreplay_attributes: {counter: 1}", []string{
			`ks.yaml:1:1: the field "replay_attributes" is for profile getvpn`}},
	} {
		_, err := policy.ParseKeyServer("ks.yaml", []byte(f.apply(t, keyServerYAML)), keys(t))
		f.check(t, err)
	}
	for _, f := range []fault{
		{"the header", "name: gm1", "name: gm1\nmetadata: {length: 16}", []string{`gm.yaml:1:1: the field "metadata" is for profile getvpn`}},
		{"its length", "name: gm1", "name: gm1\nprofile: getvpn\nmetadata: {length: 14, protocol: 50}", []string{
			"gm.yaml:3:20: metadata.length: 14 is no length of a header with a pseudotime; it must be 12 or 16",
			"gm.yaml:3:34: metadata.protocol: 50 is out of range; it must be from 61 to 255"}},
	} {
		_, err := policy.ParseMember("gm.yaml", []byte(f.apply(t, memberYAML)))
		f.check(t, err)
	}
}
