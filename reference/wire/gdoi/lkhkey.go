package gdoi

import (
	"encoding/binary"
	"errors"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// LKHKey is a key of an LKH array. It has no length: that follows from its type and the KEK_KEY_LENGTH of the group.
//
//	LKH ID (2) | key type (1) | reserved (1) | creation date (4) | expiration date (4) | key handle (4) | key data
type LKHKey struct {
	ID       uint16
	Type     uint8 // see KEKCipher
	Reserved uint8
	Created  uint32 // seconds since 1970, 0: not said
	Expires  uint32 // the same, 0: never
	Handle   uint32
	Data     []byte // IV, then key; encrypted as a whole in an update array
}

// ErrLKHKeyType: an LKH key has a type whose data has no known length.
var ErrLKHKeyType = errors.New("no length is known for keys of this type")

const lkhKeyHeadLen = 16

// lkhSizes are the octets of IV and key for each type; of AES the group's KEK_KEY_LENGTH says those of the key.
var lkhSizes = map[uint8]struct{ iv, key int }{
	KEKCipherDES:  {8, 8},
	KEKCipher3DES: {8, 24},
	KEKCipherAES:  {16, 0},
}

// LKHDataLen is how many octets of IV and key an LKH key of that type has in a group whose KEK_KEY_LENGTH is bits, which
// counts for AES only. It is not ok for an unknown type.
func LKHDataLen(keyType uint8, bits int) (n int, ok bool) {
	size, ok := lkhSizes[keyType]
	if keyType == KEKCipherAES {
		size.key = bits / 8
	}
	return size.iv + size.key, ok
}

// Split returns the IV and the key, if the data was not encrypted. Both are nil if it is too short or of an unknown type.
func (k *LKHKey) Split() (iv, key []byte) {
	size, ok := lkhSizes[k.Type]
	if !ok || len(k.Data) <= size.iv {
		return nil, nil
	}
	return k.Data[:size.iv], k.Data[size.iv:]
}

func appendLKHKeys(b []byte, keys []LKHKey) []byte {
	for i := range keys {
		k := &keys[i]
		b = binary.BigEndian.AppendUint16(b, k.ID)
		b = append(b, k.Type, k.Reserved)
		b = binary.BigEndian.AppendUint32(b, k.Created)
		b = binary.BigEndian.AppendUint32(b, k.Expires)
		b = binary.BigEndian.AppendUint32(b, k.Handle)
		b = append(b, k.Data...)
	}
	return b
}

func readLKHKeys(r *wire.Reader, count uint16, bits int) (keys []LKHKey, override *uint16) {
	for r.Len() > 0 {
		keys = append(keys, readLKHKey(r, bits))
	}
	if int(count) != len(keys) {
		override = &count
	}
	return keys, override
}

func readLKHKey(r *wire.Reader, bits int) LKHKey {
	k := LKHKey{ID: r.Uint16("LKH ID")}
	at := r.Offset()
	k.Type = r.Uint8("LKH key type")
	k.Reserved = r.Uint8("LKH key reserved")
	k.Created, k.Expires = r.Uint32("LKH creation date"), r.Uint32("LKH expiration date")
	k.Handle = r.Uint32("LKH key handle")
	n, known := LKHDataLen(k.Type, bits)
	if r.Err() == nil && !known {
		r.Fail(at, "LKH key type", ErrLKHKeyType)
	}
	k.Data = r.Bytes(n, "LKH key data")
	return k
}

// LKHBits tells the KEK_KEY_LENGTH from an array itself, for a reader who has not seen the SAK: all keys of an array have
// the type and length of the first. It is not ok if they cannot have.
func LKHBits(array LKHAttribute, value []byte) (bits int, ok bool) {
	head := 4
	if array == LKHUpdateArray {
		head = 12
	}
	if len(value) < head+lkhKeyHeadLen {
		return 0, false
	}
	count, keys := int(binary.BigEndian.Uint16(value[1:])), value[head:]
	if count == 0 || len(keys)%count != 0 {
		return 0, false
	}
	size, known := lkhSizes[keys[2]]
	bits = (len(keys)/count - lkhKeyHeadLen - size.iv) * 8
	return bits, known && bits > 0
}
