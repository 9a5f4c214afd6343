package ike

import (
	"strconv"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Packages policy and keymat have their numbers from the same registries as package isakmp.
func TestNumbersOfPolicy(t *testing.T) {
	if aes != isakmp.EncryptionAESCBC || tripleDES != isakmp.Encryption3DESCBC {
		t.Errorf("AES-CBC is %d and 3DES-CBC %d", aes, tripleDES)
	}
	for number, want := range map[policy.Phase1Hash]string{policy.Phase1MD5: "MD5", policy.Phase1SHA1: "SHA-1",
		policy.Phase1SHA256: "SHA2-256", policy.Phase1SHA384: "SHA2-384", policy.Phase1SHA512: "SHA2-512"} {
		if hash, name := keymat.Hash(number).String(), isakmp.HashAlgorithm(number).String(); hash != want || name != want {
			t.Errorf("%s is %s in package keymat, %s in package isakmp", want, hash, name)
		}
	}
	for _, s := range tried() {
		bits, kind, _ := strings.Cut(isakmp.Group(s.Group).String(), "-bit ")
		coordinates := map[string]int{"MODP": 1, "ECP": 2}[kind]
		n, err := strconv.Atoi(bits)
		if group := s.group(); err != nil || group.PublicLen() != coordinates*((n+7)/8) || group.ID() != s.Group {
			t.Errorf("group %d is %s, and has public values of %d octets", s.Group, isakmp.Group(s.Group), group.PublicLen())
		}
	}
}
