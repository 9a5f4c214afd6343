package esp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// unhex reads hexadecimal digits with blanks between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.Join(bytes.Fields([]byte(s)), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The test cases of draft-mcgrew-gcm-test-01 §4 that have 32-bit sequence numbers.
var gcmVectors = []struct {
	name, key, salt, payload, packet string
	next                             uint8
}{
	{
		name: "128 bits, SPI a5f8", key: "feffe9928665731c6d6a8f9467308308", salt: "cafebabe", next: 1,
		payload: `4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d00100
			00010000000000000373697009637962657263697479 02646b0000010001`,
		packet: `0000a5f80000000afacedbaddecaf888
			deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c
			3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1
			83b70d3aa8bc6ee4c309e9d85a41ad4a`,
	},
	{
		name: "128 bits, all zero", key: "00000000000000000000000000000000", salt: "00000000", next: 1,
		payload: `4500003c99c500008001cb7a40679318010101010800075c0200440061626364
			65666768696a6b6c6d6e6f707172737475767761626364656667686 9`,
		packet: `00000000000000010000000000000000
			4688daf2f973a392732909c331d56d60f694abaa414b5e7ff5fdcdfff5e9a284
			456476492719ffb64de7d9dca1e1d894bc3bd57873ed4d181d19d4d5c8c18af3
			f821d496eeb096e98ad2b69e4799c71d`,
	},
	{
		name: "128 bits, no payload, highest sequence number", key: "7d773d00c144c525ac619d18c84a3f47", salt: "d9664267", next: 1,
		packet: `335467aeffffffff43457e9182443bc6437f866bcb3f699fe9b0822bac961c4504bef270`,
	},
	{
		name: "192 bits", key: "feffe9928665731c6d6a8f9467308308feffe9928665731c", salt: "cafebabe", next: 1,
		payload: `45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d07568`,
		packet: `0000a5f80000000afacedbaddecaf888
			a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0
			315b27452144cc7795457b9652037f5318027b5b4cd7a636`,
	},
	{
		name: "256 bits", key: "abbccddef00112233445566778899aababbccddef00112233445566778899aab", salt: "11223344", next: 1,
		payload: `4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee000000000
			7002400020bf0000020405b401010402`,
		packet: `4a2cbfe3000000020102030405060708
			ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763
			748a637985771d347f0545659f14e99def842d8eb335f4eecfdbf831824b4c49 15956c96`,
	},
}

func TestGCMVectors(t *testing.T) {
	for _, v := range gcmVectors {
		t.Run(v.name, func(t *testing.T) {
			key, want, payload := unhex(t, v.key), unhex(t, v.packet), unhex(t, v.payload)
			sa := policy.TrafficSA{
				SPI:       binary.BigEndian.Uint32(want),
				Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 8 * len(key)},
				CipherKey: append(key, unhex(t, v.salt)...),
			}
			iv := binary.BigEndian.Uint64(want[8:])
			s := mustNew(t, sa, Options{HasSID: true, SIDBits: 8, SID: uint32(iv >> 56)})
			s.sent = uint64(binary.BigEndian.Uint32(want[4:])) - 1
			s.suite.(*gcm).counter.ssiv = iv << 8 >> 8
			checkVector(t, s, payload, v.next, want)
		})
	}
}

// The sample ESP packets of RFC 3602 §4, which have no ICV: cases 5 and 6 transport mode, 7 and 8 tunnel mode.
var cbcVectors = []struct {
	name, key, payload, packet string
	next                       uint8
}{
	{
		name: "case 5", key: "90d382b410eeba7ad938c46cec1a82bf", next: 1,
		payload: `08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617
			18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637`,
		packet: `0000432100000001e96e8c08ab465763fd098d45dd3ff893
			f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856
			a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a
			a269add047ad2d5913ac19b7cfbad4a6`,
	},
	{
		name: "case 6", key: "90d382b410eeba7ad938c46cec1a82bf", next: 1,
		payload: `0800b5e8a80a0500a69c083d0b660e00777777777777777777777777`,
		packet: `000043210000000869d08df7d203329db093fc4924e5bd80
			f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75`,
	},
	{
		name: "case 7", key: "0123456789abcdef0123456789abcdef", next: 4,
		payload: `45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d
			02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223
			2425262728292a2b2c2d2e2f3031323334353637`,
		packet: `0000876500000002f4e765244f6407adf13dc1380f673f37
			773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8
			e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5
			c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d`,
	},
	{
		name: "case 8", key: "0123456789abcdef0123456789abcdef", next: 4,
		payload: `45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083d
			a3de0300ffffffffffffffffffffffffffffffffffffffffffffffffffffffff ffffffff`,
		packet: `000087650000000585d47224b5f3dd5d2101d4ea8dffab22
			15b92683819596a8047232cc00f7048fe45318e11f8a0f62ede3c3fc61203bb5
			0f980a08c9843fd3a1b06d5c07ff9639b7eb7dfb3512e5de435e7207ed971ef3
			d2726d9b5ef6affc6d17a0decbb13892`,
	},
}

func TestCBCVectors(t *testing.T) {
	for _, v := range cbcVectors {
		t.Run(v.name, func(t *testing.T) {
			want := unhex(t, v.packet)
			sa := cbcSA()
			sa.SPI, sa.CipherKey = binary.BigEndian.Uint32(want), unhex(t, v.key)
			s := mustNew(t, sa, Options{Rand: bytes.NewReader(want[8:24])})
			s.sent = uint64(binary.BigEndian.Uint32(want[4:])) - 1
			want = append(want, s.suite.(*cbc).digest(want)[:16]...)
			checkVector(t, s, unhex(t, v.payload), v.next, want)
		})
	}
}

// The authentication vectors of RFC 4868 §2.7.2.1, whose data is put where an ESP packet would be.
func TestHMACVectors(t *testing.T) {
	for _, v := range []struct{ name, key, data, icv string }{
		{"AUTH256-1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
			"198a607eb44bfbc69903a0f1cf2bbdc5"},
		{"AUTH256-2", "4a6566654a6566654a6566654a6566654a6566654a6566654a6566654a656665",
			"7768617420646f2079612077616e7420666f72206e6f7468696e673f", "167f928588c5cc2eef8e3093caa0e87c"},
		{"AUTH256-3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			hex.EncodeToString(bytes.Repeat([]byte{0xdd}, 50)), "cdcb1220d1ecccea91e53aba3092f962"},
		{"AUTH256-4", "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
			hex.EncodeToString(bytes.Repeat([]byte{0xcd}, 50)), "372efcf9b40b35c2115b1346903d2ef4"},
	} {
		t.Run(v.name, func(t *testing.T) {
			sa := cbcSA()
			sa.IntegrityKey = unhex(t, v.key)
			c := mustNew(t, sa, Options{Rand: constant(1)}).suite.(*cbc)
			for range 2 { // the state is reset between packets
				if got := hex.EncodeToString(c.digest(unhex(t, v.data))[:icvLenHMAC]); got != v.icv {
					t.Errorf("ICV %s, want %s", got, v.icv)
				}
			}
		})
	}
}

// checkVector seals the payload into want and opens it again.
func checkVector(t *testing.T, s *SA, payload []byte, next uint8, want []byte) {
	t.Helper()
	got, err := s.Seal(nil, payload, next)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("sealed, %v\n  got %x\n want %x", err, got, want)
	}
	back, n, err := s.Open(nil, want)
	if err != nil || !bytes.Equal(back, payload) || n != next {
		t.Fatalf("opened %x, next header %d, %v; want %x, %d", back, n, err, payload, next)
	}
}
