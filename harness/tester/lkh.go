package tester

import (
	"encoding/hex"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// EditDownload changes the LKH_DOWNLOAD_ARRAY of a KD (RFC 6407 §5.6.3.1).
func EditDownload(kind core.Kind, what string, change func(*gdoi.LKHDownload)) Deviation {
	return editArray(kind, gdoi.LKHDownloadArray, what, func(value []byte, bits int) ([]byte, error) {
		a, err := gdoi.ParseLKHDownload(value, 0, bits)
		if err != nil {
			return nil, err
		}
		change(&a)
		return a.Append(nil)
	})
}

// EditUpdates changes each LKH_UPDATE_ARRAY of a KD (RFC 6407 §5.6.3.2).
func EditUpdates(kind core.Kind, what string, change func(*gdoi.LKHUpdate)) Deviation {
	return editArray(kind, gdoi.LKHUpdateArray, what, func(value []byte, bits int) ([]byte, error) {
		a, err := gdoi.ParseLKHUpdate(value, 0, bits)
		if err != nil {
			return nil, err
		}
		change(&a)
		return a.Append(nil)
	})
}

// editArray changes the arrays of that number. One that cannot be read stays as it is.
func editArray(kind core.Kind, number uint16, what string, change func(value []byte, bits int) ([]byte, error)) Deviation {
	return EditKeys(kind, gdoi.KDTypeLKH, what, func(p *gdoi.KeyPacket) {
		for i, a := range p.Attributes {
			bits, ok := gdoi.LKHBits(gdoi.LKHAttribute(number), a.Value)
			if a.Type != number || !ok {
				continue
			}
			if value, err := change(a.Value, bits); err == nil {
				p.Attributes[i] = wire.TLV(number, value)
			}
		}
	})
}

// UnderLKHKey has PUSH messages be encrypted under another key of a hierarchy than its KEK, whose entry of the key log that is
// (RFC 6407 §3.3). The other key is given in hexadecimal, its IV first.
func UnderLKHKey(rekey keylog.Entry, other string) Deviation {
	return Deviation{core.Push.String() + " encrypted under an LKH key that is not the KEK", "RFC 6407 §3.3",
		on(core.Push, core.Sealed, func(o *core.Outgoing) {
			c := gdoimap.CipherOf(policy.RekeySA{Cipher: policy.KEKCipher(rekey.Cipher)})
			iv, errIV := hex.DecodeString(rekey.IV)
			key, errKey := hex.DecodeString(rekey.Key)
			under, err := hex.DecodeString(other)
			if errIV != nil || errKey != nil || err != nil || len(under) <= c.BlockSize() {
				return
			}
			plain, _, err := c.DecryptCBC(key, iv, o.Bytes[isakmp.HeaderLen:])
			if err != nil {
				return
			}
			if body, _, err := c.EncryptCBC(under[c.BlockSize():], under[:c.BlockSize()], plain); err == nil {
				o.Bytes = append(slices.Clone(o.Bytes[:isakmp.HeaderLen]), body...)
			}
		})}
}
