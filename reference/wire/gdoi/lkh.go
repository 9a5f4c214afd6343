package gdoi

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// LKHVersion is the version of LKH arrays (RFC 6407 §5.6.3.1).
const LKHVersion = 1

// LKHDownload is the value of an LKH_DOWNLOAD_ARRAY: a member's keys from its leaf to the root, which is the KEK (RFC 6407
// §5.6.3.1).
//
//	version (1) | number of keys (2) | reserved (1) | keys
type LKHDownload struct {
	Version  uint8
	Reserved uint8
	Keys     []LKHKey
	Count    *uint16 // overrides the number of keys; after decoding, set if it was another than that of Keys
}

// LKHUpdate is the value of an LKH_UPDATE_ARRAY: new keys, each encrypted under the one before it, the first under one that
// members have (RFC 6407 §5.6.3.2).
//
//	version (1) | number of keys (2) | reserved (1) | LKH ID (2) | reserved (2) | key handle (4) | keys
type LKHUpdate struct {
	Version   uint8
	Reserved  uint8
	ID        uint16 // of the key that the first one is encrypted under
	Reserved2 uint16
	Handle    uint32 // of the same key
	Keys      []LKHKey
	Count     *uint16 // as in LKHDownload
}

// Append appends the octets of the array. It fails with a *wire.Error if there are more than 65535 keys.
func (a LKHDownload) Append(b []byte) ([]byte, error) {
	b, err := appendLKHHead(b, a.Version, a.Reserved, len(a.Keys), a.Count)
	if err != nil {
		return nil, err
	}
	return appendLKHKeys(b, a.Keys), nil
}

// Append appends the octets of the array. It fails with a *wire.Error if there are more than 65535 keys.
func (a LKHUpdate) Append(b []byte) ([]byte, error) {
	b, err := appendLKHHead(b, a.Version, a.Reserved, len(a.Keys), a.Count)
	if err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint16(b, a.ID)
	b = binary.BigEndian.AppendUint16(b, a.Reserved2)
	b = binary.BigEndian.AppendUint32(b, a.Handle)
	return appendLKHKeys(b, a.Keys), nil
}

func appendLKHHead(b []byte, version, reserved uint8, keys int, override *uint16) ([]byte, error) {
	if keys > math.MaxUint16 {
		return nil, &wire.Error{Offset: len(b) + 1, Field: "LKH number of keys", Err: wire.ErrLength}
	}
	count := uint16(keys)
	if override != nil {
		count = *override
	}
	return append(binary.BigEndian.AppendUint16(append(b, version), count), reserved), nil
}

// ParseLKHDownload reads the value of an LKH_DOWNLOAD_ARRAY that begins at that offset of the message, in a group whose
// KEK_KEY_LENGTH is bits. It reads keys to the end, however many were announced. Its errors are *wire.Error, with
// ErrLKHKeyType among their causes.
func ParseLKHDownload(value []byte, offset, bits int) (LKHDownload, error) {
	r := wire.NewReaderAt(value, offset)
	var a LKHDownload
	var count uint16
	a.Version, count, a.Reserved = readLKHHead(r)
	a.Keys, a.Count = readLKHKeys(r, count, bits)
	if err := r.Done(); err != nil {
		return LKHDownload{}, err
	}
	return a, nil
}

// ParseLKHUpdate reads the value of an LKH_UPDATE_ARRAY as ParseLKHDownload does that of the other array.
func ParseLKHUpdate(value []byte, offset, bits int) (LKHUpdate, error) {
	r := wire.NewReaderAt(value, offset)
	var a LKHUpdate
	var count uint16
	a.Version, count, a.Reserved = readLKHHead(r)
	a.ID, a.Reserved2, a.Handle = r.Uint16("LKH ID"), r.Uint16("LKH array reserved"), r.Uint32("LKH key handle")
	a.Keys, a.Count = readLKHKeys(r, count, bits)
	if err := r.Done(); err != nil {
		return LKHUpdate{}, err
	}
	return a, nil
}

func readLKHHead(r *wire.Reader) (version uint8, count uint16, reserved uint8) {
	return r.Uint8("LKH version"), r.Uint16("LKH number of keys"), r.Uint8("LKH array reserved")
}
