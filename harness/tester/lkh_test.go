package tester_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// inTree is a KD with a download and an update array, and a key packet of another type.
func inTree(t *testing.T) (kd gdoi.KD, download, update []byte) {
	t.Helper()
	key := gdoi.LKHKey{ID: 1, Type: gdoi.KEKCipherAES, Handle: 9, Data: make([]byte, 32)}
	download, err := gdoi.LKHDownload{Version: 1, Keys: []gdoi.LKHKey{key, key}}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	update, err = gdoi.LKHUpdate{Version: 1, ID: 3, Handle: 4, Keys: []gdoi.LKHKey{key}}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return gdoi.KD{Packets: []gdoi.KeyPacket{
		gdoi.TEKPacket(1, wire.TLV(gdoi.TEKAlgorithmKey, download)),
		gdoi.LKHPacket([16]byte{}, wire.TLV(gdoi.LKHDownloadArray, download), wire.TLV(gdoi.LKHUpdateArray, update), wire.TLV(gdoi.LKHUpdateArray, nil)),
	}}, download, update
}

// Arrays of one sort are changed, and nothing else is; nor is what the message was made of.
func TestEditArrays(t *testing.T) {
	for name, c := range map[string]struct {
		deviation        tester.Deviation
		download, update bool // whether it changes
	}{
		"download": {tester.EditDownload(core.Pull4, "version 2", func(a *gdoi.LKHDownload) { a.Version = 2 }), true, false},
		"updates":  {tester.EditUpdates(core.Pull4, "version 2", func(a *gdoi.LKHUpdate) { a.Version = 2 }), false, true},
		"neither":  {tester.EditUpdates(core.Push, "version 2", func(a *gdoi.LKHUpdate) { a.Version = 2 }), false, false},
	} {
		kd, download, update := inTree(t)
		o := &core.Outgoing{Kind: core.Pull4, Payloads: []isakmp.Payload{kd}}
		c.deviation.Tap(core.Built, o)
		sent := o.Payloads[0].(gdoi.KD).Packets[1].Attributes
		if got := !bytes.Equal(sent[0].Value, download); got != c.download || got && (sent[0].Value[0] != 2 || !bytes.Equal(sent[0].Value[1:], download[1:])) {
			t.Errorf("%s: the download is %x", name, sent[0].Value)
		}
		if got := !bytes.Equal(sent[1].Value, update); got != c.update || got && (sent[1].Value[0] != 2 || !bytes.Equal(sent[1].Value[1:], update[1:])) {
			t.Errorf("%s: the update is %x", name, sent[1].Value)
		}
		if kd.Packets[1].Attributes[0].Value[0] != 1 || kd.Packets[1].Attributes[1].Value[0] != 1 || len(sent[2].Value) != 0 {
			t.Errorf("%s: the original, or an array that cannot be read, has changed", name)
		}
	}
}

// The body is what it was, under the other key.
func TestUnderLKHKey(t *testing.T) {
	iv, key, other := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16), bytes.Repeat([]byte{3}, 32)
	entry := keylog.Entry{Cipher: 3, IV: hex.EncodeToString(iv), Key: hex.EncodeToString(key)}
	right, o := sealed(48), sealed(48)
	tester.UnderLKHKey(entry, hex.EncodeToString(other)).Tap(core.Sealed, o)
	want, _, err := keymat.AES.DecryptCBC(key, iv, right.Bytes[isakmp.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := keymat.AES.DecryptCBC(other[16:], other[:16], o.Bytes[isakmp.HeaderLen:])
	if err != nil || !bytes.Equal(got, want) || !slices.Equal(o.Bytes[:isakmp.HeaderLen], right.Bytes[:isakmp.HeaderLen]) {
		t.Errorf("%x, %v", o.Bytes, err)
	}
	for _, under := range []string{"", "zz", "00"} {
		o := sealed(48)
		tester.UnderLKHKey(entry, under).Tap(core.Sealed, o)
		if !bytes.Equal(o.Bytes, right.Bytes) {
			t.Errorf("%q: changed without a key", under)
		}
	}
}
