package uml

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestDependencies(t *testing.T) {
	needs, err := dependencies(strings.NewReader("net/esp4.ko: net/algo.ko lib/base.ko\nnet/algo.ko: lib/base.ko\nlib/base.ko:\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"esp4": {"lib/base.ko", "net/algo.ko", "net/esp4.ko"}, "algo": {"lib/base.ko", "net/algo.ko"}, "base": {"lib/base.ko"}, "none": nil,
	} {
		if got := needs[name]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := dependencies(strings.NewReader("esp4.ko\n")); err == nil || !strings.Contains(err.Error(), "has no colon") {
		t.Errorf("a line without a colon: %v", err)
	}
}

func TestState(t *testing.T) {
	gcm := keylog.Entry{SPI: "0000abcd", Cipher: int(policy.CipherAESGCM12), CipherKey: strings.Repeat("00", 20), Mode: int(policy.ModeTransport)}
	s, err := state(gcm)
	if err != nil || s.Spi != 0xabcd || s.Mode != netlink.XFRM_MODE_TRANSPORT || s.Aead.Name != "rfc4106(gcm(aes))" || s.Aead.ICVLen != 96 || len(s.Aead.Key) != 20 {
		t.Errorf("%+v %+v: %v", s, s.Aead, err)
	}
	cbc := keylog.Entry{SPI: "1", Cipher: int(policy.CipherAESCBC), Integrity: int(policy.IntegrityHMACSHA256), ESN: true, Mode: int(policy.ModeTunnel)}
	s, err = state(cbc)
	if err != nil || !s.ESN || s.Mode != netlink.XFRM_MODE_TUNNEL || s.Crypt.Name != "cbc(aes)" || s.Auth.Name != "hmac(sha256)" || s.Auth.TruncateLen != 128 {
		t.Errorf("%+v: %v", s, err)
	}
	for _, t2 := range []policy.Transform{{Cipher: policy.CipherAESCBC}, {Cipher: 99, Integrity: policy.IntegrityHMACSHA1}} {
		if _, err := state(keylog.Entry{SPI: "1", Cipher: int(t2.Cipher), Integrity: int(t2.Integrity)}); !errors.Is(err, errTransform) {
			t.Errorf("%v: %v", t2, err)
		}
	}
	if _, err := state(keylog.Entry{SPI: "none"}); err == nil {
		t.Error("an SPI that is no number is taken")
	}
}

// Every transform of the policy has a name in the kernel.
func TestEveryTransformHasAName(t *testing.T) {
	for _, transform := range policy.Transforms() {
		if _, err := state(keylog.Entry{SPI: "1", Cipher: int(transform.Cipher), Integrity: int(transform.Integrity)}); err != nil {
			t.Errorf("%s: %v", transform.Name(), err)
		}
	}
}
