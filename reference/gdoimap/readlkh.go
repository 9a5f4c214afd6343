package gdoimap

import (
	"bytes"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var (
	checkOneLKH = rule.Check("gdoimap.read.lkh.packet", "RFC6407-5.6.3-02", rule.GM,
		"a KD has at most one LKH packet")
	checkLKHAttributes = rule.Check("gdoimap.read.lkh.attributes", "RFC6407-5.6.3-01", rule.GM,
		"an LKH packet has arrays and SIG_ALGORITHM_KEY once, all with lengths, and nothing else")
	checkOneDownload = rule.Check("gdoimap.read.lkh.download", "RFC6407-5.6.3.1-02", rule.GM,
		"a KD has at most one LKH_DOWNLOAD_ARRAY")
	checkLKHVersion = rule.Check("gdoimap.read.lkh.version", "RFC6407-5.6.3.1-03", rule.GM,
		"the version of an LKH array is 1")
	checkLKHForm = rule.Check("gdoimap.read.lkh.form", "RFC6407-5.6.3.1-04", rule.GM,
		"an LKH array has as many keys as it says, of the length of the KEK, and its reserved fields are 0")
	checkLKHType = rule.Check("gdoimap.read.lkh.type", "RFC6407-5.3.2-02", rule.GM,
		"each LKH key is of the cipher of the KEK")
	dutyLastIsKEK = rule.Duty("gdoimap.read.lkh.kek", "RFC6407-3.3-08", rule.GM,
		"the last key of an LKH_DOWNLOAD_ARRAY is the KEK")
)

// takeLKH reads the arrays of the SAK's hierarchy. A download brings the KEK; updates are for the member to open, which knows
// the keys they are encrypted under.
func (k *keyring) takeLKH(p *gdoi.KeyPacket) error {
	known := k.rekey != nil && bytes.Equal(p.SPI, k.rekey.SPI[:])
	switch {
	case !checkOneLKH.Holds(k.rules, k.lkhs == 0):
		return checkOneLKH.Violated("a second LKH packet")
	case !checkOneKEK.Holds(k.rules, k.keks == k.lkhs):
		return checkOneKEK.Violated("a KEK packet and an LKH packet")
	case !checkBound.Holds(k.rules, known):
		return checkBound.Violated("LKH packet for the unknown SPI %x", p.SPI)
	case k.rekey == nil:
		return nil
	}
	k.keks, k.lkhs = k.keks+1, k.lkhs+1
	cipher := CipherOf(*k.rekey)
	k.rekey.LKH, k.rekey.IV, k.rekey.Key = &policy.LKH{}, make([]byte, cipher.BlockSize()), make([]byte, k.rekey.KeyBits/8)
	public, fault := sole(othersOf(p.Attributes), named[gdoi.LKHAttribute], gdoi.LKHSigAlgorithmKey)
	if !checkLKHAttributes.Holds(k.rules, fault == "") {
		return checkLKHAttributes.Violated("LKH packet: %s", fault)
	}
	for _, a := range p.Attributes {
		if err := k.takeArray(a); err != nil {
			return err
		}
	}
	if key, ok := public.of(gdoi.LKHSigAlgorithmKey); ok {
		return readPublicKey(k.rekey, key, k.rules)
	}
	return nil
}

// othersOf are the attributes of an LKH packet that are no arrays.
func othersOf(as []wire.Attribute) (others []wire.Attribute) {
	for _, a := range as {
		if !isArray(a) {
			others = append(others, a)
		}
	}
	return others
}

func isArray(a wire.Attribute) bool {
	return !a.Basic && (a.Type == gdoi.LKHDownloadArray || a.Type == gdoi.LKHUpdateArray)
}

func (k *keyring) takeArray(a wire.Attribute) error {
	switch {
	case !isArray(a):
		return nil
	case a.Type == gdoi.LKHDownloadArray:
		return k.takeDownload(a.Value)
	}
	return k.takeUpdate(a.Value)
}

func (k *keyring) takeDownload(value []byte) error {
	if !checkOneDownload.Holds(k.rules, len(k.rekey.LKH.Path) == 0) {
		return checkOneDownload.Violated("a second LKH_DOWNLOAD_ARRAY")
	}
	array, err := gdoi.ParseLKHDownload(value, 0, k.rekey.KeyBits)
	path, err := k.lkhKeys(lkhArrayHead{"LKH_DOWNLOAD_ARRAY", array.Version, uint(array.Reserved), array.Count}, array.Keys, err)
	if err != nil || len(path) == 0 {
		return err
	}
	k.rekey.LKH.Path = path
	kek, iv := path[len(path)-1].Data, CipherOf(*k.rekey).BlockSize()
	if !dutyLastIsKEK.Kept(k.rules) {
		kek = path[0].Data
	}
	k.rekey.IV, k.rekey.Key = bytes.Clone(kek[:iv]), bytes.Clone(kek[iv:])
	return nil
}

func (k *keyring) takeUpdate(value []byte) error {
	array, err := gdoi.ParseLKHUpdate(value, 0, k.rekey.KeyBits)
	reserved := uint(array.Reserved) | uint(array.Reserved2)
	keys, err := k.lkhKeys(lkhArrayHead{"LKH_UPDATE_ARRAY", array.Version, reserved, array.Count}, array.Keys, err)
	if err == nil && len(keys) > 0 {
		k.rekey.LKH.Updates = append(k.rekey.LKH.Updates, policy.LKHUpdate{ID: array.ID, Handle: array.Handle, Keys: keys})
	}
	return err
}

// lkhArrayHead is what both arrays begin with.
type lkhArrayHead struct {
	name     string
	version  uint8
	reserved uint
	count    *uint16 // what it says, if it is wrong
}

// lkhKeys checks what is common to both arrays, and returns copies of the keys. They all have the length of the KEK's data.
func (k *keyring) lkhKeys(head lkhArrayHead, keys []gdoi.LKHKey, err error) ([]policy.LKHKey, error) {
	reserved := head.reserved
	for _, key := range keys {
		reserved |= uint(key.Reserved)
	}
	switch {
	case !checkLKHForm.Holds(k.rules, err == nil):
		return nil, checkLKHForm.Violated("%s: %v", head.name, err)
	case err != nil:
		return nil, nil
	case !checkLKHVersion.Holds(k.rules, head.version == gdoi.LKHVersion):
		return nil, checkLKHVersion.Violated("%s of version %d", head.name, head.version)
	case !checkLKHForm.Holds(k.rules, head.count == nil && len(keys) > 0 && reserved == 0):
		return nil, checkLKHForm.Violated("%s with %d keys, another number, or a reserved field that is not 0", head.name, len(keys))
	}
	length, _ := gdoi.LKHDataLen(uint8(k.rekey.Cipher), k.rekey.KeyBits)
	var list []policy.LKHKey
	for _, key := range keys {
		if !checkLKHType.Holds(k.rules, int(key.Type) == int(k.rekey.Cipher)) {
			return nil, checkLKHType.Violated("LKH key of type %d under a KEK of type %d", key.Type, k.rekey.Cipher)
		}
		list = append(list, policy.LKHKey{ID: key.ID, Handle: key.Handle, Data: fit(key.Data, length)})
	}
	return list, nil
}
