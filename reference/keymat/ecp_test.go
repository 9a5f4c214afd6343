package keymat

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// RFC 5903 §8.1 to §8.3: private values, public values and the shared x.
var ecpVectors = []struct {
	id                uint16
	i, r, gi, gr, gir string
}{
	{19,
		"c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
		"c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
		"dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180 5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
		"d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63 56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
		"d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
	{20,
		"099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
		"41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
		`667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa
		 9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c`,
		`e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571
		 dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c`,
		"11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746"},
	{21,
		"0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
		"0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
		`0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e
		 017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582`,
		`00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f
		 015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a`,
		"01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"},
}

func TestECPVectors(t *testing.T) {
	for _, v := range ecpVectors {
		i, r := keyOf(t, v.id, bytes.NewReader(unhex(t, v.i))), keyOf(t, v.id, bytes.NewReader(unhex(t, v.r)))
		equal(t, "g^i", i.Public(), v.gi)
		equal(t, "g^r", r.Public(), v.gr)
		for _, c := range []struct {
			mine  PrivateKey
			yours string
		}{{i, v.gr}, {r, v.gi}} {
			shared, err := c.mine.Shared(unhex(t, c.yours))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "g^ir", shared, v.gir)
		}
	}
}

func TestECPSharedRefuses(t *testing.T) {
	for _, v := range ecpVectors {
		g := group(t, v.id)
		k, half := keyOf(t, v.id, Seeded("refuse")), g.PublicLen()/2
		change := func(alter func(p []byte)) []byte {
			p := unhex(t, v.gi)
			alter(p)
			return p
		}
		for name, peer := range map[string][]byte{
			"another x":         change(func(p []byte) { p[half-1] ^= 1 }),
			"another y":         change(func(p []byte) { p[2*half-1] ^= 1 }),
			"x and y swapped":   append(unhex(t, v.gi)[half:], unhex(t, v.gi)[:half]...),
			"y of zeros":        change(func(p []byte) { clear(p[half:]) }),
			"x above the field": change(func(p []byte) { copy(p, bytes.Repeat([]byte{0xff}, half)) }),
			"x alone":           unhex(t, v.gi)[:half],
		} {
			if shared, err := k.Shared(peer); !errors.Is(err, ErrPublicValue) || shared != nil {
				t.Errorf("group %d, %s: %x, %v", v.id, name, shared, err)
			}
		}
		negative := keyOf(t, v.id, bytes.NewReader(unhex(t, v.r)))
		if _, err := negative.Shared(negative.Public()); err != nil {
			t.Errorf("group %d, one's own value: %v", v.id, err)
		}
	}
}

// Octets that are no private value are passed over, and the next are taken.
func TestECPDrawsAgain(t *testing.T) {
	for _, v := range ecpVectors {
		size := group(t, v.id).SharedLen()
		above := bytes.Repeat([]byte{0xff}, size) // the group's order is smaller
		rand := bytes.NewReader(append(append(above, make([]byte, size)...), unhex(t, v.i)...))
		equal(t, "g^i", keyOf(t, v.id, rand).Public(), v.gi)
		if rand.Len() != 0 {
			t.Errorf("group %d: %d octets were not read", v.id, rand.Len())
		}
		if _, err := group(t, v.id).NewKey(onesForever{}); !errors.Is(err, ErrRandom) {
			t.Errorf("group %d: %v", v.id, err)
		}
	}
}

// onesForever is a broken source.
type onesForever struct{}

func (onesForever) Read(b []byte) (int, error) {
	copy(b, bytes.Repeat([]byte{0xff}, len(b)))
	return len(b), nil
}

var _ io.Reader = onesForever{}
