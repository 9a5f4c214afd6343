package group_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.Group)
		want   string // part of the error; empty: none
	}{
		{"as it should be", func(*policy.Group) {}, ""},
		{"multicast", multicast, ""},
		{"no rekey", func(c *policy.Group) { c.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone} }, ""},
		{"rekey without SAs", func(c *policy.Group) { c.SAs = nil }, ""},
		{"nothing at all", func(c *policy.Group) { c.SAs, c.Rekey.Transport = nil, policy.TransportNone }, "neither"},
		{"transport", func(c *policy.Group) { c.Rekey.Transport = "pigeon" }, "pigeon"},
		{"multicast to one", func(c *policy.Group) {
			multicast(c)
			c.Rekey.Address = netip.MustParseAddrPort("192.0.2.1:848")
		}, "192.0.2.1"},
		{"multicast without port", func(c *policy.Group) {
			multicast(c)
			c.Rekey.Address = netip.MustParseAddrPort("239.1.1.1:0")
		}, "port"},
		{"3DES", func(c *policy.Group) { c.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192} }, ""},
		{"cipher of the rekey", func(c *policy.Group) { c.Rekey.KEK = policy.KEKTransform{Cipher: 1, KeyBits: 64} }, "cipher 1"},
		{"key length of the rekey", func(c *policy.Group) { c.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 100} }, "100 bits"},
		{"signature hash", func(c *policy.Group) { c.Rekey.SigHash = 1 }, "signature hash 1"},
		{"signature form", func(c *policy.Group) { c.Rekey.SigForm = 7 }, "signature form 7"},
		{"ack type", func(c *policy.Group) { c.Rekey.Ack = 5 }, "acknowledgement type 5"},
		{"LKH ack", func(c *policy.Group) { c.Rekey.Ack = policy.AckLKHSHA256 }, "without LKH"},
		{"management", func(c *policy.Group) { c.Rekey.Management = 2 }, "management 2"},
		{"updates without LKH", func(c *policy.Group) { c.Rekey.Updates = 1 }, "want at most 48, with LKH"},
		{"too many updates", func(c *policy.Group) { c.Rekey.Management, c.Rekey.Updates = policy.ManagementLKH, 49 }, "49 updates"},
		{"backward access control without rekey", func(c *policy.Group) { c.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone, Backward: true} },
			"without rekey"},
		{"LKH of 192 bits", func(c *policy.Group) {
			c.Rekey.Management, c.Rekey.KEK = policy.ManagementLKH, policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 192}
		}, "LKH with a KEK of 192 bits"},
		{"retransmission", func(c *policy.Group) { c.Rekey.Retransmit = -1 }, "-1"},
		{"SID bits", func(c *policy.Group) { c.SIDBits = 33 }, "33"},
		{"margin of the KEK", func(c *policy.Group) {
			c.Rekey.KEKLifetime, c.Rekey.Margin = time.Minute, time.Minute
		}, "1m0s"},
		{"margin of a TEK", func(c *policy.Group) { c.Rekey.Margin = 2 * time.Hour }, "SA 1"},
		{"cipher", func(c *policy.Group) { c.SAs = []policy.SAPolicy{{}} }, "transform 0"},
		{"key length", func(c *policy.Group) {
			c.SAs = []policy.SAPolicy{gcm}
			c.SAs[0].Transform.KeyBits = 100
		}, "100 bits"},
		{"GCM with integrity", func(c *policy.Group) {
			c.SAs = []policy.SAPolicy{gcm}
			c.SAs[0].Transform.Integrity = policy.IntegrityHMACSHA256
		}, "integrity"},
		{"CBC without integrity", func(c *policy.Group) {
			c.SAs = []policy.SAPolicy{cbc}
			c.SAs[0].Transform.Integrity = policy.IntegrityNone
		}, "integrity"},
		{"selector", func(c *policy.Group) {
			c.SAs = []policy.SAPolicy{gcm}
			c.SAs[0].Selector.Source = netip.Prefix{}
		}, "selector"},
		{"further flow of two IP versions", func(c *policy.Group) {
			c.SAs = []policy.SAPolicy{gcm}
			c.SAs[0].Also = []policy.Selector{{Source: netip.MustParsePrefix("::/0"), Destination: gcm.Selector.Destination}}
		}, "IP versions"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := group.Validate(unicast(test.change))
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want something about %q", err, test.want)
			}
		})
	}
}

func TestNewFails(t *testing.T) {
	if _, err := group.New(unicast(func(c *policy.Group) { c.SIDBits = -1 }), options("", nil), epoch); err == nil {
		t.Error("took a configuration that cannot work")
	}
	o := options("", nil)
	o.Rand = io.LimitReader(o.Rand, 20)
	if _, err := group.New(unicast(), o, epoch); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestAuthorised(t *testing.T) {
	tests := []struct {
		id   string
		want bool
	}{
		{"192.0.2.1", true}, {"::ffff:192.0.2.1", true}, {"198.51.100.1", false}, {"2001:db8::1", false},
	}
	g := newGroup(t, unicast())
	for _, test := range tests {
		if got := g.Authorised(netip.MustParseAddr(test.id), policy.AddressIdentity(netip.MustParseAddr(test.id)), policy.Peer{}); got != test.want {
			t.Errorf("%s: %t, want %t", test.id, got, test.want)
		}
	}
	router := policy.Peer{Identity: policy.Identity{Kind: policy.IdentityFQDN, Value: "gm1.example"}, Subject: []string{"O=gdoilab", "OU=Routers"}}
	for text, want := range map[string]bool{
		"fqdn:GM1.example": true, "subject:OU=Routers": true, "subject:OU=Routers,O=gdoilab": true,
		"fqdn:gm2.example": false, "user-fqdn:gm1@example": false, "subject:OU=Switches": false, "subject:OU=Routers,O=other": false,
	} {
		i, err := policy.ParseIdentity(text)
		if err != nil {
			t.Fatal(err)
		}
		named := newGroup(t, unicast(func(c *policy.Group) {
			c.Identities, c.Rekey.Management = []policy.Identity{i}, policy.ManagementLKH
		}))
		if got := named.Authorised(netip.Addr{}, memberID(1), router); got != want {
			t.Errorf("a member by %s: %t, want %t", text, got, want)
		}
		register(t, named, epoch, 1, 0)
		if _, err := named.Exclude(epoch, memberID(1)); err != nil {
			t.Fatal(err)
		}
		if named.Authorised(netip.Addr{}, memberID(1), router) {
			t.Errorf("a member by %s is let in after it was excluded", text)
		}
	}
	if g.Authorised(netip.Addr{}, memberID(1), policy.Peer{}) {
		t.Error("no identity at all is authorised")
	}
	if newGroup(t, unicast(func(c *policy.Group) { c.Members = nil })).Authorised(memberAddr(1), memberID(1), policy.Peer{}) {
		t.Error("a group without members lets somebody in")
	}
	if !newGroup(t, unicast(), "group.member.authorised", "off").Authorised(netip.MustParseAddr("198.51.100.1"), memberID(1), policy.Peer{}) {
		t.Error("with the guard off a stranger is kept out")
	}
}

// The Rekey SA is of the policy's cipher, and its signatures are of the policy's hash, unless the signing key leaves no choice.
func TestRekeySuites(t *testing.T) {
	for kek, iv := range map[policy.KEKTransform]int{
		{Cipher: policy.KEK3DES, KeyBits: 192}: 8, {Cipher: policy.KEKAES, KeyBits: 192}: 16, {Cipher: policy.KEKAES, KeyBits: 256}: 16,
	} {
		g := newGroup(t, unicast(func(c *policy.Group) {
			c.Rekey.KEK, c.Rekey.SigHash, c.Rekey.SigForm = kek, policy.SigHashSHA384, policy.SigBareHash
		}))
		r := offer(t, g, epoch).Download.Rekey
		if r.Cipher != kek.Cipher || r.KeyBits != kek.KeyBits || len(r.IV) != iv || len(r.Key) != kek.KeyBits/8 {
			t.Errorf("%+v: %+v", kek, r)
		}
		if r.SigHash != policy.SigHashSHA384 || r.SigForm != policy.SigBareHash || r.SigAlgorithm != policy.SigRSA {
			t.Errorf("signatures %+v", r)
		}
	}
	o := options("ECDSA", nil)
	o.SigAlgorithm, o.SigKeyBits = policy.SigECDSA521, 521
	g, err := group.New(unicast(), o, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if r := offer(t, g, epoch).Download.Rekey; r.SigHash != policy.SigHashSHA512 || r.SigAlgorithm != policy.SigECDSA521 || r.SigKeyBits != 521 {
		t.Errorf("signatures %+v", r)
	}
}

// Of 3DES no two of the three keys are the same, even if the random octets are.
func TestThreeKeys(t *testing.T) {
	triple := unicast(func(c *policy.Group) {
		c.SAs, c.Rekey.KEK = nil, policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}
	})
	o := options("3DES", nil)
	o.Rand = io.MultiReader(bytes.NewReader(make([]byte, 16+8+24)), o.Rand)
	g, err := group.New(triple, o, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if r := offer(t, g, epoch).Download.Rekey; !keymat.Independent(r.Key) {
		t.Errorf("key %x", r.Key)
	}
	o.Rand = bytes.NewReader(make([]byte, 16+8+24))
	if _, err := group.New(triple, o, epoch); err == nil {
		t.Error("a key whose parts are the same")
	}
	if r := offer(t, newGroup(t, triple, "group.kek.3des", "broken"), epoch).Download.Rekey; keymat.Independent(r.Key) {
		t.Errorf("neglected: key %x", r.Key)
	}
}

func TestKeys(t *testing.T) {
	g := newGroup(t, unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{gcm, cbc, gcm} }))
	d := offer(t, g, epoch).Download
	if d.Group != 1234 || d.Rekey == nil || d.SIDs != nil || d.Sequence != 0 || len(d.SAs) != 3 {
		t.Fatalf("offer %+v", d)
	}
	r := d.Rekey
	if len(r.IV) != 16 || len(r.Key) != 16 || r.KeyBits != 128 || r.SigKeyBits != 2048 || r.Lifetime != 24*time.Hour {
		t.Errorf("Rekey SA %+v", r)
	}
	if r.Source != netip.MustParseAddrPort("192.0.2.250:848") || r.Destination != netip.MustParseAddrPort("0.0.0.0:0") {
		t.Errorf("PUSH goes from %v to %v", r.Source, r.Destination)
	}
	if bytes.Equal(d.SAs[0].CipherKey, d.SAs[2].CipherKey) {
		t.Error("two SAs with one key")
	}
	for i, want := range []struct{ cipher, integrity int }{{20, 0}, {16, 32}, {20, 0}} {
		sa := d.SAs[i]
		if len(sa.CipherKey) != want.cipher || len(sa.IntegrityKey) != want.integrity || sa.Lifetime != time.Hour {
			t.Errorf("SA %d: %+v", i, sa)
		}
	}
}

func TestMulticastDestination(t *testing.T) {
	if got := offer(t, newGroup(t, unicast(multicast)), epoch).Download.Rekey.Destination; got != multicastAddress {
		t.Errorf("PUSH goes to %v", got)
	}
}

// TestSPIs makes many SAs: every SPI is above 255 and never used twice.
func TestSPIs(t *testing.T) {
	g := newGroup(t, unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{gcm, cbc} }))
	seen := make(map[uint32]bool)
	cookies := make(map[policy.RekeySPI]bool)
	for range 500 {
		c := g.Changes()
		for _, sa := range c.SAs {
			if sa.SPI <= 255 || seen[sa.SPI] {
				t.Fatalf("SPI %08x", sa.SPI)
			}
			seen[sa.SPI] = true
		}
		for _, r := range c.Rekeys {
			if cookies[r.SPI] || r.SPI == (policy.RekeySPI{}) {
				t.Fatalf("cookies %v", r.SPI)
			}
			cookies[r.SPI] = true
		}
		rekey(t, g, epoch, kekToo)
	}
	if len(seen) != 1000 || len(cookies) != 500 {
		t.Errorf("%d SPIs, %d cookie pairs", len(seen), len(cookies))
	}
}

// TestRepeats: the same source of randomness gives the same keys.
func TestRepeats(t *testing.T) {
	a, b := newGroup(t, unicast()), newGroup(t, unicast())
	x, y := offer(t, a, epoch).Download, offer(t, b, epoch).Download
	if x.Rekey.SPI != y.Rekey.SPI || !bytes.Equal(x.SAs[0].CipherKey, y.SAs[0].CipherKey) {
		t.Error("two groups from one seed differ")
	}
}

// TestImports: a group is not its carrier. It must not know how its decisions travel.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	for _, path := range strings.Fields(string(out)) {
		for _, carrier := range []string{"/reference/wire", "/reference/ike", "/reference/gdoimap", "/reference/core"} {
			if strings.Contains(path, carrier) {
				t.Errorf("imports %s", path)
			}
		}
	}
}

func TestKeyMutants(t *testing.T) {
	two := unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{gcm, gcm} })
	d := offer(t, newGroup(t, two, "group.tek.own-key", "broken"), epoch).Download
	if !bytes.Equal(d.SAs[0].CipherKey, d.SAs[1].CipherKey) {
		t.Error("own-key: broken, and yet every SA has its key")
	}
	d = offer(t, newGroup(t, two, "group.spi.reserved", "broken"), epoch).Download
	if d.SAs[0].SPI > 255 || d.SAs[0].SPI == d.SAs[1].SPI {
		t.Errorf("reserved: broken, and yet SPIs %x, %x", d.SAs[0].SPI, d.SAs[1].SPI)
	}
	g := newGroup(t, unicast(multicast), "group.kek.cookies", "broken")
	p := rekey(t, g, epoch, kekToo)
	if p.Rekey.NewRekey.SPI != p.Under.SPI || bytes.Equal(p.Rekey.NewRekey.Key, p.Under.Key) {
		t.Error("cookies: broken, and yet the new KEK has others")
	}
	run(t, g, at(48*time.Hour))
}
