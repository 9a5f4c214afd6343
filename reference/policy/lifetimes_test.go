package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// lived is a group whose KEK and TEK live so long.
func lived(kek, tek time.Duration) policy.Group {
	return policy.Group{
		Rekey: policy.RekeyPolicy{Transport: policy.TransportUnicast, KEKLifetime: kek},
		SAs:   []policy.SAPolicy{{Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128}, Lifetime: tek}},
	}
}

// Lifetimes go up to 30 days, those of more than a day with AES only (GETVPN-LONGSA-01).
func TestCheckLifetimes(t *testing.T) {
	const day = 86400 * time.Second
	weak := policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}
	for _, c := range []struct {
		name     string
		kek, tek time.Duration
		alter    func(g *policy.Group)
		want     string
	}{
		{name: "a day", kek: day, tek: day},
		{name: "a second more", kek: day + time.Second, tek: day + time.Second},
		{name: "30 days", kek: 2592000 * time.Second, tek: 2592000 * time.Second},
		{name: "KEK of more", kek: 2592001 * time.Second, tek: day, want: "kek_lifetime"},
		{name: "TEK of more", kek: day, tek: 2592001 * time.Second, want: "lifetime of sas[0]"},
		{name: "defaults", alter: func(g *policy.Group) { g.SAs[0].Transform = weak }},
		{name: "weak for a day", kek: day, tek: day, alter: func(g *policy.Group) { g.SAs[0].Transform = weak }},
		{name: "weak for more", kek: day, tek: day + time.Second, alter: func(g *policy.Group) { g.SAs[0].Transform = weak }, want: "AES"},
		{name: "weak KEK for a day", kek: day, tek: day, alter: func(g *policy.Group) { g.Rekey.KEK.Cipher = policy.KEK3DES }},
		{name: "weak KEK for more", kek: day + time.Second, tek: day, alter: func(g *policy.Group) { g.Rekey.KEK.Cipher = policy.KEK3DES }, want: "AES"},
		{name: "no KEK", kek: 2592001 * time.Second, tek: day, alter: func(g *policy.Group) { g.Rekey.Transport = policy.TransportNone }},
	} {
		g := lived(c.kek, c.tek)
		if c.alter != nil {
			c.alter(&g)
		}
		if err := g.CheckLifetimes(policy.ProfileRFC6407); err != nil {
			t.Errorf("%s: %v without the profile", c.name, err)
		}
		err := g.CheckLifetimes(policy.ProfileGETVPN)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// The advice of GETVPN-TIMER-06, -12 and -13.
func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		kek, tek time.Duration
		want     []string // a word of each
	}{
		{86400, 3600, nil},
		{7200, 2400, nil},
		{2703, 901, nil},
		{2702, 901, []string{"3 times"}},
		{2700, 900, []string{"a TEK"}},
		{7200, 3600, []string{"3 times"}},
		{3600, 3600, []string{"not longer"}},
		{3600, 7200, []string{"not longer"}},
		{300, 100, []string{"the KEK", "a TEK"}},
		{900, 300, []string{"a TEK"}},
	} {
		got := lived(c.kek*time.Second, c.tek*time.Second).Advice()
		ok := slices.EqualFunc(got, c.want, strings.Contains)
		if !ok {
			t.Errorf("KEK %d s, TEK %d s: %q, want %q", c.kek, c.tek, got, c.want)
		}
	}
}

// At 100,000 packets a second numbers of 32 bits are good for 42,949 s (GETVPN-CBAR-05).
func TestWrapAdvice(t *testing.T) {
	for _, c := range []struct {
		rate    int
		seconds time.Duration
		esn     bool
		want    bool
	}{
		{100000, 42949, false, false}, {100000, 42950, false, true}, {100000, 86400, true, false}, {0, 86400, false, false},
		{1 << 20, 4096, false, false}, {1 << 20, 4097, false, true}, {1, 1 << 31, false, false},
	} {
		if got := policy.WrapAdvice(c.rate, c.seconds*time.Second, c.esn); (got != "") != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// What is of profile getvpn is refused elsewhere, at its place.
func TestOfProfile(t *testing.T) {
	unicast := "transport: unicast"
	profile := func(fields string) string { return unicast + "\n      " + fields }
	for _, f := range []fault{
		{"KEK behaviour", unicast, profile("kek: old"), []string{
			"ks.yaml:9:5: groups[0]: rekey.kek is for profile getvpn; leave it out"}},
		{"reminders", unicast, profile("ack: kek-sha256\n      reminders: true"), []string{
			"ks.yaml:9:5: groups[0]: rekey.reminders are for profile getvpn; leave them out"}},
		{"reminders of nothing", unicast, profile("ack: none\n      reminders: true"), []string{
			"ks.yaml:9:5: groups[0]: rekey.reminders are for profile getvpn; leave them out",
			`ks.yaml:13:7: groups[0].rekey: reminders go to who has not acknowledged; they need an "ack"`}},
		{"counted reminders", unicast, profile("ack: kek-sha256\n      retransmit: 2\n      reminders: true"), []string{
			"ks.yaml:9:5: groups[0]: rekey.reminders are for profile getvpn; leave them out",
			`ks.yaml:13:7: groups[0].rekey: reminders are sent until they are answered; leave out the field "retransmit"`}},
		{"too long", unicast, profile("kek_lifetime: 2592001s"), nil},
	} {
		t.Run(f.name, func(t *testing.T) {
			text := f.apply(t, keyServerYAML)
			_, err := policy.ParseKeyServer("ks.yaml", []byte(text), keys(t))
			if f.want == nil {
				_, err = policy.ParseKeyServer("ks.yaml", []byte("profile: getvpn\n"+strings.TrimLeft(text, "\n")), keys(t))
				f.want = []string{"ks.yaml:10:5: groups[0]: the kek_lifetime is 720h0m1s, and the most is 720h0m0s"}
			}
			f.check(t, err)
		})
	}
	_, err := policy.ParseMember("gm.yaml", []byte(memberYAML+"rekey: {kek: old}\n"))
	if err == nil || !strings.Contains(err.Error(), "for profile getvpn") {
		t.Errorf("a member: %v", err)
	}
	if _, err = policy.ParseMember("gm.yaml", []byte(memberYAML+"profile: getvpn\nrekey: {kek: old}\n")); err != nil {
		t.Errorf("a member of the profile: %v", err)
	}
}
