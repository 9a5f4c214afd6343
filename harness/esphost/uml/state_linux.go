package uml

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// aead is what the kernel calls the combined modes, with the octets of their ICVs.
var aead = map[policy.Cipher]struct {
	name string
	icv  int
}{
	policy.CipherAESGCM16: {"rfc4106(gcm(aes))", 16},
	policy.CipherAESGCM12: {"rfc4106(gcm(aes))", 12},
	policy.CipherAESGCM8:  {"rfc4106(gcm(aes))", 8},
	policy.CipherGMAC:     {"rfc4543(gcm(aes))", 16},
}

// crypt is what it calls the other ciphers.
var crypt = map[policy.Cipher]string{policy.CipherAESCBC: "cbc(aes)", policy.Cipher3DES: "cbc(des3_ede)", policy.CipherNULL: "ecb(cipher_null)"}

// auth is what it calls hashes, with the octets of their ICVs.
var auth = map[policy.Integrity]struct {
	name string
	icv  int
}{
	policy.IntegrityHMACSHA1:   {"hmac(sha1)", 12},
	policy.IntegrityHMACSHA256: {"hmac(sha256)", 16},
	policy.IntegrityHMACSHA384: {"hmac(sha384)", 24},
	policy.IntegrityHMACSHA512: {"hmac(sha512)", 32},
}

var errTransform = errors.New("the kernel has no such transform")

// Install replaces all states and policies.
func (h *host) Install(sas []esphost.SA) error {
	if err := errors.Join(netlink.XfrmPolicyFlush(), netlink.XfrmStateFlush(netlink.XFRM_PROTO_ESP)); err != nil {
		return fmt.Errorf("forgetting: %w", err)
	}
	for _, sa := range sas {
		if err := h.install(sa); err != nil {
			return fmt.Errorf("SPI %s: %w", sa.Keys.SPI, err)
		}
	}
	return nil
}

// install makes the states of an SA and the policies that have them used.
func (h *host) install(sa esphost.SA) error {
	model, err := state(sa.Keys)
	if err != nil {
		return err
	}
	model.ReplayWindow = sa.Window
	own := h.place.Inside
	for _, r := range h.place.Remotes {
		for _, f := range []flow{{r.Host, own, netlink.XFRM_DIR_IN}, {own, r.Host, netlink.XFRM_DIR_OUT}} {
			if err := f.install(model, sa.First); err != nil {
				return err
			}
		}
	}
	for _, g := range h.place.Groups { // the one state of an SPI and a destination is for both directions
		if err := (flow{own, g, netlink.XFRM_DIR_OUT}).install(model, sa.First); err != nil {
			return err
		}
		for _, r := range h.place.Remotes {
			if err := (flow{r.Host, g, netlink.XFRM_DIR_IN}).policy(model, own, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// flow is what goes from one address to another.
type flow struct {
	from, to  netip.Addr
	direction netlink.Dir
}

// install makes the state and the policy of a flow whose ESP has its own addresses.
func (f flow) install(s netlink.XfrmState, first uint64) error {
	s.Src, s.Dst = f.from.AsSlice(), f.to.AsSlice()
	if err := netlink.XfrmStateAdd(&s); err != nil {
		return fmt.Errorf("state %s to %s: %w", f.from, f.to, err)
	}
	if first > 1 {
		if err := count(&s, first-1); err != nil {
			return fmt.Errorf("sequence of %s to %s: %w", f.from, f.to, err)
		}
	}
	return f.policy(s, f.from, f.to)
}

// policy has the flow be in ESP between two addresses.
func (f flow) policy(s netlink.XfrmState, from, to netip.Addr) error {
	p := &netlink.XfrmPolicy{
		Src: ipNet(netip.PrefixFrom(f.from, 32)), Dst: ipNet(netip.PrefixFrom(f.to, 32)), Dir: f.direction,
		Tmpls: []netlink.XfrmPolicyTmpl{{Src: from.AsSlice(), Dst: to.AsSlice(), Proto: netlink.XFRM_PROTO_ESP, Mode: s.Mode, Spi: s.Spi}},
	}
	if err := netlink.XfrmPolicyUpdate(p); err != nil {
		return fmt.Errorf("policy %s to %s: %w", f.from, f.to, err)
	}
	return nil
}

// state makes a state without addresses of a key log entry.
func state(k keylog.Entry) (netlink.XfrmState, error) {
	spi, err1 := strconv.ParseUint(k.SPI, 16, 32)
	key, err2 := hex.DecodeString(k.CipherKey)
	integrity, err3 := hex.DecodeString(k.IntegrityKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		return netlink.XfrmState{}, err
	}
	s := netlink.XfrmState{Proto: netlink.XFRM_PROTO_ESP, Spi: int(spi), Mode: netlink.XFRM_MODE_TUNNEL, ESN: k.ESN}
	if policy.Mode(k.Mode) == policy.ModeTransport {
		s.Mode = netlink.XFRM_MODE_TRANSPORT
	}
	if combined, ok := aead[policy.Cipher(k.Cipher)]; ok {
		s.Aead = &netlink.XfrmStateAlgo{Name: combined.name, Key: key, ICVLen: combined.icv * 8}
		return s, nil
	}
	name, ok1 := crypt[policy.Cipher(k.Cipher)]
	hash, ok2 := auth[policy.Integrity(k.Integrity)]
	if !ok1 || !ok2 {
		return s, fmt.Errorf("%w: cipher %d with integrity %d", errTransform, k.Cipher, k.Integrity)
	}
	s.Crypt = &netlink.XfrmStateAlgo{Name: name, Key: key}
	s.Auth = &netlink.XfrmStateAlgo{Name: hash.name, Key: integrity, TruncateLen: hash.icv * 8}
	return s, nil
}
