package gdoimap

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// What the key server owes in a key packet of type LKH.
var (
	dutyOneLKH = rule.Duty("gdoimap.make.lkh.packet", "RFC6407-5.6.3-02", rule.KS,
		"a KD has at most one LKH packet")
	dutyOneDownload = rule.Duty("gdoimap.make.lkh.download", "RFC6407-5.6.3.1-02", rule.KS,
		"a KD has at most one LKH_DOWNLOAD_ARRAY")
	dutyNoDownload = rule.Duty("gdoimap.make.lkh.push", "RFC6407-5.6.3.1-01", rule.KS,
		"a PUSH to several members has no LKH_DOWNLOAD_ARRAY")
	dutyLKHVersion = rule.Duty("gdoimap.make.lkh.version", "RFC6407-5.6.3.1-03", rule.KS,
		"the LKH version is 1")
	dutyLKHCount = rule.Duty("gdoimap.make.lkh.count", "RFC6407-5.6.3.1-04", rule.KS,
		"an array says how many keys it has")
	dutyLKHIVFirst = rule.Duty("gdoimap.make.lkh.iv", "RFC6407-5.6.3.1-05", rule.KS,
		"the IV comes before the key of an LKH key")
	dutyLKHType = rule.Duty("gdoimap.make.lkh.type", "RFC6407-5.3.2-02", rule.KS,
		"the type of an LKH key is that of the KEK")
	dutyLKHDates = rule.Duty("gdoimap.make.lkh.dates", "RFC6407-5.6.3.1-06", rule.KS,
		"an LKH key is not valid for less than the time that it is in use")
	dutyLKHHeader = rule.Duty("gdoimap.make.lkh.header", "RFC6407-5.6.3.2-02", rule.KS,
		"an update names the key that its first one is encrypted under")
)

// lkhPacket is the key packet of a Rekey SA that is the root of a hierarchy (RFC 6407 §5.6.3): for one member with the keys that
// it is to have, for all of them with updates.
func lkhPacket(r policy.RekeySA, rules *rule.Switches) gdoi.KeyPacket {
	p := gdoi.LKHPacket(r.SPI)
	spoilSPI(p.SPI, rules)
	if len(r.LKH.Path) > 0 {
		p.Attributes = append(p.Attributes, downloadOf(r, r.LKH.Path, rules))
		if !dutyOneDownload.Kept(rules) {
			p.Attributes = append(p.Attributes, p.Attributes[0])
		}
	}
	for _, u := range r.LKH.Updates {
		p.Attributes = append(p.Attributes, updateOf(r, u, rules))
	}
	if len(r.LKH.Path) == 0 && !dutyNoDownload.Kept(rules) {
		root := policy.LKHKey{ID: 1, Data: slices.Concat(r.IV, r.Key)}
		p.Attributes = append(p.Attributes, downloadOf(r, []policy.LKHKey{root}, rules))
	}
	if dutyPublicKey.Kept(rules) {
		p.Attributes = append(p.Attributes, wire.TLV(gdoi.LKHSigAlgorithmKey, r.PublicKey))
	}
	return p
}

func downloadOf(r policy.RekeySA, path []policy.LKHKey, rules *rule.Switches) wire.Attribute {
	array := gdoi.LKHDownload{Version: versionOf(rules), Keys: lkhKeysOf(r, path, rules), Count: countOf(len(path), rules)}
	if !dutyLKHIVFirst.Kept(rules) {
		iv := CipherOf(r).BlockSize()
		for i, k := range array.Keys {
			array.Keys[i].Data = slices.Concat(k.Data[iv:], k.Data[:iv])
		}
	}
	return lkhArray(gdoi.LKHDownloadArray, array)
}

func updateOf(r policy.RekeySA, u policy.LKHUpdate, rules *rule.Switches) wire.Attribute {
	array := gdoi.LKHUpdate{Version: versionOf(rules), ID: u.ID, Handle: u.Handle,
		Keys: lkhKeysOf(r, u.Keys, rules), Count: countOf(len(u.Keys), rules)}
	if !dutyLKHHeader.Kept(rules) {
		array.ID, array.Handle = u.Keys[0].ID, u.Keys[0].Handle
	}
	return lkhArray(gdoi.LKHUpdateArray, array)
}

// lkhArray makes an attribute of an array. There are no more than 65535 keys on a way through a tree with so many places.
func lkhArray(number uint16, array interface{ Append([]byte) ([]byte, error) }) wire.Attribute {
	value, _ := array.Append(nil)
	return wire.TLV(number, value)
}

func versionOf(rules *rule.Switches) uint8 {
	if !dutyLKHVersion.Kept(rules) {
		return gdoi.LKHVersion + 1
	}
	return gdoi.LKHVersion
}

// countOf is what a mutant says instead of a number of keys.
func countOf(keys int, rules *rule.Switches) *uint16 {
	if dutyLKHCount.Kept(rules) {
		return nil
	}
	more := uint16(keys + 1)
	return &more
}

// lkhKeysOf leaves the dates open: keys hold as long as the KEK.
func lkhKeysOf(r policy.RekeySA, keys []policy.LKHKey, rules *rule.Switches) []gdoi.LKHKey {
	typ := uint8(r.Cipher)
	if !dutyLKHType.Kept(rules) {
		typ ^= gdoi.KEKCipher3DES ^ gdoi.KEKCipherAES
	}
	var expires uint32
	if !dutyLKHDates.Kept(rules) {
		expires = 1
	}
	var list []gdoi.LKHKey
	for _, k := range keys {
		list = append(list, gdoi.LKHKey{ID: k.ID, Type: typ, Expires: expires, Handle: k.Handle, Data: k.Data})
	}
	return list
}
