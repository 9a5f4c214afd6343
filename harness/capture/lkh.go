package capture

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// lkhFields shows the inside of an LKH array whose octets begin at that offset (RFC 6407 §5.6.3). There is nothing to show
// of one that cannot be read, or whose keys have different lengths: no key tells its own.
func lkhFields(number uint16, value []byte, at int) []Field {
	c := cursor{at: at}
	bits, _ := gdoi.LKHBits(gdoi.LKHAttribute(number), value)
	switch number {
	case gdoi.LKHDownloadArray:
		a, err := gdoi.ParseLKHDownload(value, at, bits)
		if err != nil || a.Count != nil || !sameLength(a.Keys) {
			return nil
		}
		c.lkhHead(a.Version, len(a.Keys), a.Reserved)
		c.lkhKeys(a.Keys)
	case gdoi.LKHUpdateArray:
		a, err := gdoi.ParseLKHUpdate(value, at, bits)
		if err != nil || a.Count != nil || !sameLength(a.Keys) {
			return nil
		}
		c.lkhHead(a.Version, len(a.Keys), a.Reserved)
		c.number("LKH ID", uint64(a.ID), 2)
		c.reserved(uint64(a.Reserved2), 2)
		c.number("Key Handle", uint64(a.Handle), 4)
		c.lkhKeys(a.Keys)
	}
	return c.fields
}

func sameLength(keys []gdoi.LKHKey) bool {
	return !slices.ContainsFunc(keys, func(k gdoi.LKHKey) bool { return len(k.Data) != len(keys[0].Data) })
}

func (c *cursor) lkhHead(version uint8, keys int, reserved uint8) {
	c.number("LKH Version", uint64(version), 1)
	c.number("Keys", uint64(keys), 2)
	c.reserved(uint64(reserved), 1)
}

func (c *cursor) lkhKeys(keys []gdoi.LKHKey) {
	for i := range keys {
		k := &keys[i]
		in := cursor{at: c.at}
		in.number("LKH ID", uint64(k.ID), 2)
		in.named("Key Type", registered(gdoi.KEKCipher(k.Type), uint64(k.Type)), uint64(k.Type), 1)
		in.reserved(uint64(k.Reserved), 1)
		in.date("Creation Date", k.Created)
		in.date("Expiration Date", k.Expires)
		in.number("Key Handle", uint64(k.Handle), 4)
		in.octets("Key Data", k.Data).Secret = true
		c.nest("LKH Key", in)
	}
}

// date appends seconds since 1970 with what they mean; 0 means nothing.
func (c *cursor) date(name string, seconds uint32) {
	text := ""
	if seconds != 0 {
		text = time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
	}
	c.named(name, text, uint64(seconds), 4)
}
