package group_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// keyed is the first SA of a group with that transform.
func keyed(t *testing.T, transform policy.Transform, altered ...string) policy.TrafficSA {
	t.Helper()
	sa := gcm
	sa.Transform = transform
	g := newGroup(t, unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{sa} }), altered...)
	return register(t, g, epoch, 1, 1).Download.SAs[0]
}

// Each transform gets keys of its lengths.
func TestKeyLengths(t *testing.T) {
	for _, transform := range policy.Transforms() {
		sa := keyed(t, transform)
		if len(sa.CipherKey) != transform.CipherKeyLen() || len(sa.IntegrityKey) != transform.IntegrityKeyLen() {
			t.Errorf("%s: keys of %d and %d octets", transform.Name(), len(sa.CipherKey), len(sa.IntegrityKey))
		}
	}
}

func TestTripleDESKey(t *testing.T) {
	transform := policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}
	same := func(key []byte) bool {
		return bytes.Equal(key[:8], key[8:16]) || bytes.Equal(key[8:16], key[16:]) || bytes.Equal(key[:8], key[16:])
	}
	if key := keyed(t, transform).CipherKey; same(key) {
		t.Errorf("key %x", key)
	}
	if key := keyed(t, transform, "group.tek.3des", "broken").CipherKey; !same(key) {
		t.Errorf("the mutant's key %x", key)
	}
}

func TestSalt(t *testing.T) {
	for _, c := range []policy.Cipher{policy.CipherAESGCM8, policy.CipherGMAC} {
		transform := policy.Transform{Cipher: c, KeyBits: 128}
		if key := keyed(t, transform).CipherKey; bytes.Equal(key[16:], make([]byte, 4)) {
			t.Errorf("key %x", key)
		}
		if key := keyed(t, transform, "group.tek.salt", "broken").CipherKey; !bytes.Equal(key[16:], make([]byte, 4)) {
			t.Errorf("the mutant's key %x", key)
		}
	}
}

// constant is a source that gives the same octet again and again.
type constant byte

func (c constant) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c)
	}
	return len(b), nil
}

// A source that repeats itself is an error, and keeps nobody waiting.
func TestConstantRandomness(t *testing.T) {
	triple := gcm
	triple.Transform = policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}
	for name, cfg := range map[string]policy.Group{
		"KEK of 3DES": unicast(func(c *policy.Group) { c.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192} }),
		"TEK of 3DES": unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{triple} }),
		"two SPIs":    unicast(func(c *policy.Group) { c.SAs = []policy.SAPolicy{gcm, cbc} }),
	} {
		o := options(name, nil)
		o.Rand = constant(0x42)
		if _, err := group.New(cfg, o, epoch); err == nil || !strings.Contains(err.Error(), "the source repeats itself") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
