package capture_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// checked is the result of a check of the last message; nothing if it was not made.
func checked(messages []capture.Message, name string) capture.Result {
	for _, c := range messages[len(messages)-1].Checks {
		if c.Name == name {
			return c.Result
		}
	}
	return ""
}

// A download has to end with the KEK, and an update to lead to it from a key that was seen.
func TestHierarchy(t *testing.T) {
	leaf, other := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{9}, 32)
	for name, c := range map[string]struct {
		last         []byte // of the download; nil: the KEK
		under        []byte // what the update is encrypted under
		handle       uint32 // that it names
		root, update capture.Result
	}{
		"right":                    {nil, leaf, 1, capture.OK, capture.OK},
		"another key at the end":   {other, leaf, 1, capture.Bad, capture.OK},
		"an update under another":  {nil, other, 1, capture.OK, capture.Bad},
		"an update for others":     {nil, other, 2, capture.OK, ""},
		"an update under the root": {nil, nil, 3, capture.OK, capture.OK},
	} {
		t.Run(name, func(t *testing.T) {
			talk := capturetest.New("lkh", policy.CipherAESGCM16)
			kek := slices.Concat(talk.Rekey.IV, talk.Rekey.Key)
			last, under := c.last, c.under
			if last == nil {
				last = kek
			}
			if under == nil {
				under = kek
			}
			download, _ := gdoi.LKHDownload{Version: 1, Keys: []gdoi.LKHKey{
				{ID: 1, Type: gdoi.KEKCipherAES, Handle: 1, Data: leaf}, {ID: 2, Type: gdoi.KEKCipherAES, Handle: 3, Data: last},
			}}.Append(nil)
			register(talk, capturetest.GM1, download)
			if got := checked(capture.Decode(talk.Frames, talk.Keys), "LKH root"); got != c.root {
				t.Errorf("LKH root: %q, want %q", got, c.root)
			}

			data, err := keymat.AES.WrapLKH(under, kek)
			if err != nil {
				t.Fatal(err)
			}
			place := uint16(1)
			if c.handle == 3 {
				place = 2
			}
			update, _ := gdoi.LKHUpdate{Version: 1, ID: place, Handle: c.handle, Keys: []gdoi.LKHKey{
				{ID: 2, Type: gdoi.KEKCipherAES, Handle: 4, Data: data},
			}}.Append(nil)
			packet := gdoi.LKHPacket(talk.Rekey.SPI, wire.TLV(gdoi.LKHUpdateArray, update))
			talk.PushPayloads(gdoi.SEQ{Number: 1}, gdoi.SA{DOI: gdoi.DOI}, gdoi.KD{Packets: []gdoi.KeyPacket{packet}})
			if got := checked(capture.Decode(talk.Frames, talk.Keys), "LKH update"); got != c.update {
				t.Errorf("LKH update: %q, want %q", got, c.update)
			}
			if got := checked(capture.Decode(talk.Frames, nil), "LKH update"); got != "" {
				t.Errorf("without keys: %q", got)
			}
		})
	}
}
