package policy_test

import (
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// everyProposal has each combination of Phase 1.
func everyProposal() []policy.Proposal {
	var all []policy.Proposal
	for _, bits := range []int{128, 192, 256, 0} {
		cipher := policy.Phase1AES
		if bits == 0 {
			cipher = policy.Phase13DES
		}
		for _, hash := range []policy.Phase1Hash{policy.Phase1MD5, policy.Phase1SHA1, policy.Phase1SHA256, policy.Phase1SHA384, policy.Phase1SHA512} {
			for _, group := range []policy.DHGroup{policy.MODP768, policy.MODP1024, policy.MODP1536, policy.MODP2048, policy.MODP3072,
				policy.MODP4096, policy.ECP256, policy.ECP384, policy.ECP521} {
				all = append(all, policy.Proposal{Encryption: cipher, KeyBits: bits, Hash: hash, Group: group})
			}
		}
	}
	return all
}

func TestWeakProposals(t *testing.T) {
	weak := 0
	for _, p := range everyProposal() {
		if p.Weak() {
			weak++
		}
	}
	if want := 4 * (9 + 4*3); weak != want || policy.DefaultProposal.Weak() { // MD5 with any group, the others with three
		t.Errorf("%d proposals are weak, want %d", weak, want)
	}
}

func TestCheckProposals(t *testing.T) {
	md5 := policy.Proposal{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1MD5, Group: policy.ECP256}
	for name, c := range map[string]struct {
		phase1 policy.Phase1
		right  bool
	}{
		"none":         {policy.Phase1{}, true},
		"strong":       {policy.Phase1{Proposals: []policy.Proposal{policy.DefaultProposal}}, true},
		"all, allowed": {policy.Phase1{Proposals: everyProposal(), AllowWeak: true}, true},
		"weak":         {policy.Phase1{Proposals: []policy.Proposal{policy.DefaultProposal, md5}}, false},
		"unknown":      {policy.Phase1{Proposals: []policy.Proposal{{Encryption: 1}}, AllowWeak: true}, false},
	} {
		if err := c.phase1.CheckProposals(); (err == nil) != c.right || err != nil && !errors.Is(err, policy.ErrProposal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProposalNames(t *testing.T) {
	for p, want := range map[policy.Proposal]string{
		policy.DefaultProposal: "aes128-cbc sha256 modp2048",
		{Encryption: policy.Phase13DES, Hash: policy.Phase1MD5, Group: policy.ECP384}: "3des md5 ecp384",
		{Encryption: 1, KeyBits: 2, Hash: 3, Group: 4}:                                "cipher-1-2 hash-3 group-4",
	} {
		if p.String() != want {
			t.Errorf("%s, want %s", p, want)
		}
	}
}

func TestMarshalRefusesProposals(t *testing.T) {
	for name, p := range map[string]policy.Proposal{
		"cipher":      {Encryption: 99, Hash: policy.Phase1SHA1, Group: policy.ECP256},
		"bits of AES": {Encryption: policy.Phase1AES, KeyBits: 160, Hash: policy.Phase1SHA1, Group: policy.ECP256},
		"hash":        {Encryption: policy.Phase13DES, Hash: 3, Group: policy.ECP256},
		"group":       {Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: 17},
	} {
		phase1 := policy.Phase1{Proposals: []policy.Proposal{p}}
		if text, err := policy.MarshalKeyServer(policy.KeyServer{Phase1: phase1}, "x"); err == nil {
			t.Errorf("%s: no error, but\n%s", name, text)
		}
		if text, err := policy.MarshalMember(policy.Member{Phase1: phase1}); err == nil {
			t.Errorf("%s: no error, but\n%s", name, text)
		}
	}
}

func TestProposalsAreReadAsTheyAreWritten(t *testing.T) {
	for _, p := range []policy.Proposal{policy.DefaultProposal, {Encryption: policy.Phase13DES, Hash: policy.Phase1MD5, Group: policy.MODP768},
		{Authentication: policy.AuthECDSA521, Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA512, Group: policy.ECP521}} {
		got, err := policy.ParseProposal(p.String())
		if err != nil || got != p {
			t.Errorf("%s is read as %s, %v", p, got, err)
		}
	}
	for _, bad := range []string{"", "aes128-cbc sha256", "des sha256 modp2048", "aes128-cbc sha256 modp2048 rsa more", "aes128-cbc sha256 modp2048 dsa"} {
		if got, err := policy.ParseProposal(bad); err == nil {
			t.Errorf("%q is read as %s", bad, got)
		}
	}
}
