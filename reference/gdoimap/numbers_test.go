package gdoimap

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// Package policy has its numbers from the same registries as package gdoi, and its lengths are those of the algorithms.
func TestNumbersOfPolicy(t *testing.T) {
	for what, pair := range map[string][2]uint64{
		"3DES":          {uint64(policy.Cipher3DES), gdoi.ESP3DES},
		"NULL":          {uint64(policy.CipherNULL), gdoi.ESPNull},
		"AES-CBC":       {uint64(policy.CipherAESCBC), gdoi.ESPAESCBC},
		"AES-GCM-8":     {uint64(policy.CipherAESGCM8), gdoi.ESPAESGCM8},
		"AES-GCM-12":    {uint64(policy.CipherAESGCM12), gdoi.ESPAESGCM12},
		"AES-GCM-16":    {uint64(policy.CipherAESGCM16), gdoi.ESPAESGCM16},
		"GMAC":          {uint64(policy.CipherGMAC), gdoi.ESPNullAESGMAC},
		"HMAC-SHA-1":    {uint64(policy.IntegrityHMACSHA1), gdoi.AuthHMACSHA1},
		"HMAC-SHA-256":  {uint64(policy.IntegrityHMACSHA256), gdoi.AuthHMACSHA256},
		"HMAC-SHA-384":  {uint64(policy.IntegrityHMACSHA384), gdoi.AuthHMACSHA384},
		"HMAC-SHA-512":  {uint64(policy.IntegrityHMACSHA512), gdoi.AuthHMACSHA512},
		"tunnel":        {uint64(policy.ModeTunnel), gdoi.EncapsulationTunnel},
		"transport":     {uint64(policy.ModeTransport), gdoi.EncapsulationTransport},
		"UDP tunnel":    {uint64(policy.ModeUDPTunnel), gdoi.EncapsulationUDPTunnel},
		"UDP transport": {uint64(policy.ModeUDPTransport), gdoi.EncapsulationUDPTransport},
		"no address":    {uint64(policy.PreserveNone), gdoi.PreserveNone},
		"source":        {uint64(policy.PreserveSource), gdoi.PreserveSource},
		"destination":   {uint64(policy.PreserveDestination), gdoi.PreserveDestination},
		"both":          {uint64(policy.PreserveBoth), gdoi.PreserveBoth},
		"sender only":   {uint64(policy.DirectionSenderOnly), gdoi.DirectionSender},
		"receiver only": {uint64(policy.DirectionReceiverOnly), gdoi.DirectionReceiver},
		"symmetric":     {uint64(policy.DirectionSymmetric), gdoi.DirectionSymmetric},
		"RSA":           {uint64(policy.SigRSA), gdoi.SigTypeRSA},
		"ECDSA-256":     {uint64(policy.SigECDSA256), gdoi.SigTypeECDSA256},
		"ECDSA-384":     {uint64(policy.SigECDSA384), gdoi.SigTypeECDSA384},
		"ECDSA-521":     {uint64(policy.SigECDSA521), gdoi.SigTypeECDSA521},
		"KEK_SHA256":    {uint64(policy.AckKEKSHA256), gdoi.AckKEKSHA256},
		"KEK_SHA512":    {uint64(policy.AckKEKSHA512), gdoi.AckKEKSHA512},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %d in package policy, %d in package gdoi", what, pair[0], pair[1])
		}
	}
	for number, cipher := range kekCiphers {
		form, ok := number.Form()
		if name := gdoi.KEKCipher(number).String(); !ok || name != cipher.String() || form.IV != cipher.BlockSize() {
			t.Errorf("KEK cipher %s, with an IV of %d octets, is %v here", name, form.IV, cipher)
		}
	}
	for number, hash := range sigHashes {
		if name := gdoi.SigHash(number).String(); name != hash.String() {
			t.Errorf("signature hash %s is %v here", name, hash)
		}
	}
}
