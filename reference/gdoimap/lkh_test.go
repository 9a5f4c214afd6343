package gdoimap

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// neglectedLKH and neglectedUpdates go on with the table of neglected duties.
var neglectedLKH = map[*rule.Guard]*rule.Guard{
	dutyOneLKH:      checkOneLKH,
	dutyOneDownload: checkOneDownload,
	dutyLKHVersion:  checkLKHVersion,
	dutyLKHCount:    checkLKHForm,
	dutyLKHIVFirst:  nil,
	dutyLKHType:     checkLKHType,
	dutyLKHDates:    nil,
}

var neglectedUpdates = map[*rule.Guard]*rule.Guard{
	dutyNoDownload: nil,
	dutyLKHHeader:  nil,
}

// leafRekey is exampleRekey for a member of a hierarchy with three levels.
func leafRekey() *policy.RekeySA {
	r := exampleRekey()
	r.LKH = &policy.LKH{Path: []policy.LKHKey{
		{ID: 1, Handle: 11, Data: from(0x80, 32)},
		{ID: 2, Handle: 12, Data: from(0xa0, 32)},
		{ID: 4, Handle: 13, Data: from(0x40, 32)}, // IV and key of the KEK
	}}
	return r
}

// updatedRekey is one that comes with two updates.
func updatedRekey() *policy.RekeySA {
	r := exampleRekey()
	r.LKH = &policy.LKH{Updates: []policy.LKHUpdate{
		{ID: 3, Handle: 21, Keys: []policy.LKHKey{{ID: 2, Handle: 22, Data: from(0x80, 32)}, {ID: 4, Handle: 23, Data: from(0xa0, 32)}}},
		{ID: 6, Handle: 24, Keys: []policy.LKHKey{{ID: 4, Handle: 23, Data: from(0xc0, 32)}}},
	}}
	return r
}

func newDownload(rules *rule.Switches) *fixture { return fixtureOf(leafRekey(), rules) }
func newUpdates(rules *rule.Switches) *fixture  { return fixtureOf(updatedRekey(), rules) }

// array changes the arrays in the LKH packet of a fixture.
func array(change func(value []byte) []byte) func(*fixture) {
	return func(f *fixture) {
		as := slices.Clone(f.kd.Packets[atKEK].Attributes)
		for i, a := range as {
			if isArray(a) {
				as[i] = wire.TLV(a.Type, change(slices.Clone(a.Value)))
			}
		}
		f.kd.Packets[atKEK].Attributes = as
	}
}

// octet changes one octet of the arrays.
func octet(at int, value byte) func(*fixture) {
	return array(func(b []byte) []byte { b[at] = value; return b })
}

// Where octets are in an array: behind its head of 4 or 12 octets stand keys of 16 octets and their data.
const (
	atLKHVersion  = 0
	atLKHCount    = 2
	atLKHReserved = 3
	atLKHSecond   = 6 // the second reserved field of an update
	atLKHKey      = 4
	inKeyType     = 2
	inKeyReserved = 3
)

var downloadRefusals = []refusal{
	{"two packets", checkOneLKH, func(f *fixture) { f.kd.Packets = append(f.kd.Packets, f.kd.Packets[atKEK]) }},
	{"a KEK packet too", checkOneKEK, func(f *fixture) {
		f.kd.Packets = append(f.kd.Packets, newFixture(nil).kd.Packets[atKEK])
	}},
	{"another SPI", checkBound, func(f *fixture) { f.kd.Packets[atKEK].SPI = from(1, 16) }},
	{"no public key", checkLKHAttributes, keyWithout(atKEK, gdoi.LKHSigAlgorithmKey)},
	{"an unknown attribute", checkLKHAttributes, keyAdd(atKEK, wire.TV(77, 1))},
	{"an array without length", checkLKHAttributes, keyAdd(atKEK, wire.TV(gdoi.LKHUpdateArray, 1))},
	{"two downloads", checkOneDownload, func(f *fixture) {
		f.kd.Packets[atKEK].Attributes = append(f.kd.Packets[atKEK].Attributes, f.kd.Packets[atKEK].Attributes[0])
	}},
	{"version 2", checkLKHVersion, octet(atLKHVersion, 2)},
	{"a key less than announced", checkLKHForm, octet(atLKHCount, 4)},
	{"a key more than announced", checkLKHForm, octet(atLKHCount, 2)},
	{"reserved field", checkLKHForm, octet(atLKHReserved, 1)},
	{"reserved field of a key", checkLKHForm, octet(atLKHKey+inKeyReserved, 1)},
	{"key cut short", checkLKHForm, array(func(b []byte) []byte { return b[:len(b)-1] })},
	{"no keys", checkLKHForm, array(func(b []byte) []byte { return append(b[:1], 0, 0, 0) })},
	{"key of an unknown type", checkLKHForm, octet(atLKHKey+inKeyType, 9)},
	{"key of 3DES under AES", checkLKHType, octet(atLKHKey+inKeyType, gdoi.KEKCipher3DES)},
}

var updateRefusals = []refusal{
	{"version 2", checkLKHVersion, octet(atLKHVersion, 2)},
	{"a key less than announced", checkLKHForm, octet(atLKHCount, 3)},
	{"second reserved field", checkLKHForm, octet(atLKHSecond, 1)},
	{"cut short", checkLKHForm, array(func(b []byte) []byte { return b[:len(b)-1] })},
	{"key of 3DES under AES", checkLKHType, octet(12+inKeyType, gdoi.KEKCipher3DES)},
}

// What a hierarchy brings arrives as it was sent, and the last key of a download is the KEK.
func TestLKHRoundTrip(t *testing.T) {
	for name, sent := range map[string]*policy.RekeySA{"download": leafRekey(), "updates": updatedRekey()} {
		p, _, err := fixtureOf(sent, nil).receive(t, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(sent.LKH, p.Rekey.LKH); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if download := len(sent.LKH.Path) > 0; download != slices.Equal(p.Rekey.Key, sent.Key) {
			t.Errorf("%s: KEK %x %x", name, p.Rekey.IV, p.Rekey.Key)
		}
	}
}

// Acknowledgements are keyed by the KEK or by the member's own key, and those of LKH without one by nothing.
func TestAckBase(t *testing.T) {
	leaf := leafRekey()
	for _, c := range []struct {
		r    *policy.RekeySA
		kind policy.AckType
		want []byte
	}{
		{leaf, policy.AckKEKSHA256, leaf.Key},
		{leaf, policy.AckKEKSHA512, leaf.Key},
		{leaf, policy.AckLKHSHA256, leaf.LKH.Path[0].Data[16:]},
		{leaf, policy.AckLKHSHA512, leaf.LKH.Path[0].Data[16:]},
		{exampleRekey(), policy.AckLKHSHA256, nil},
		{updatedRekey(), policy.AckLKHSHA256, nil},
	} {
		if got := AckBase(c.r, c.kind); !slices.Equal(got, c.want) {
			t.Errorf("type %d: %x, want %x", c.kind, got, c.want)
		}
	}
}
