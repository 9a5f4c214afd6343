package esp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
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

// The test cases of draft-mcgrew-gcm-test-01 §4. Those with high have extended sequence numbers.
var gcmVectors = []struct {
	name, key, salt, payload, packet string
	next                             uint8
	high                             string
}{
	{
		name: "128 bits, extended sequence number that begins a cycle", key: "4c80cdefbb5d10da906ac73c3613a634", salt: "2e443b68", next: 1,
		high: "87654321",
		payload: `45000048699a000080114db7c0a80102c0a801010a9bf15638d30100000100000000
			0000045f736970045f756470037369700963796265726369747902646b0000210001`,
		packet: `00004321000000004956ed7e3b244cfe
			fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34
			cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce
			61bc17d768fd9732459018148f6cbe722fd04796562dfdb4`,
	},
	{
		name: "128 bits, extended sequence number", key: "3de09874b388e6491988d0c3607eae1f", salt: "57690e43", next: 1, high: "10101010",
		payload: `4500001c42a200008001441f406793b6e00000020a00f5ff`,
		packet: `42f67e3f101010104e280000a2fca1a3
			fba2ca845e5df9f0f22c3e6e86dd831e1fc65792cd1af9130e1379ed369f071f35e034be95f112e4e7d05d35`,
	},
	{
		name: "256 bits, extended sequence number", key: "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
		salt: "73616c74", next: 1, high: "156f3126",
		payload: `45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d54`,
		packet: `17405e67dd0db99b616e640169766563
			f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57f
			f4d3a31ce673119e451626c2415771e3b7eebca614c89b35`,
	},
	{
		name: "256 bits, the last extended sequence number", key: "6c6567616c697a656d6172696a75616e61616e64646f69746265666f72656961",
		salt: "7475726e", next: 1, high: "ffffffff",
		payload: `45000030da3a00008001df3bc0a80005c0a800010800c6cd0200070061626364
			65666768696a6b6c6d6e6f7071727374`,
		packet: `796b6963ffffffff333021696765746d
			f97ab2aa356d8edce17644ac8c78e25dd24dedbb29ebf1b64a274b39b49c3a86
			4cd3d78ca4ae68a32b42458fb57dbe821dcc63b9d0937ba2945f669368661a329fb4c053`,
	},
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

// A shorter ICV is the beginning of the longest one (NIST SP 800-38D §5.2.1.2, RFC 4106 §6), so each case serves all three.
func TestGCMVectors(t *testing.T) {
	for cipher, cut := range map[policy.Cipher]int{policy.CipherAESGCM16: 0, policy.CipherAESGCM12: 4, policy.CipherAESGCM8: 8} {
		for _, v := range gcmVectors {
			t.Run(fmt.Sprint(v.name, ", ICV of ", 16-cut), func(t *testing.T) {
				packet := unhex(t, v.packet)
				checkCounted(t, cipher, v.key, v.salt, v.high, packet[:len(packet)-cut], unhex(t, v.payload), v.next)
			})
		}
	}
}

// checkCounted checks the vector of a combined mode, whose IV begins with a SID of 8 bits.
func checkCounted(t *testing.T, cipher policy.Cipher, key, salt, high string, packet, payload []byte, next uint8) {
	t.Helper()
	sa := policy.TrafficSA{
		SPI:       binary.BigEndian.Uint32(packet),
		Transform: policy.Transform{Cipher: cipher, KeyBits: 8 * len(unhex(t, key)), ESN: high != ""},
		CipherKey: unhex(t, key+salt),
	}
	iv := binary.BigEndian.Uint64(packet[8:])
	o := Options{HasSID: true, SIDBits: 8, SID: uint32(iv >> 56), Window: window(sa), First: sequenceOf(t, high, packet)}
	s := mustNew(t, sa, o)
	switch suite := s.suite.(type) {
	case *gcm:
		suite.ssiv = iv << 8 >> 8
	case *shortGCM:
		suite.ssiv = iv << 8 >> 8
	case *gmac:
		suite.ssiv = iv << 8 >> 8
	}
	checkVector(t, s, payload, next, packet)
}

func window(sa policy.TrafficSA) int {
	if sa.Transform.ESN {
		return 64
	}
	return 0
}

// sequenceOf is the whole sequence number of a packet.
func sequenceOf(t *testing.T, high string, packet []byte) uint64 {
	t.Helper()
	low := uint64(binary.BigEndian.Uint32(packet[4:]))
	if high == "" {
		return low
	}
	return uint64(binary.BigEndian.Uint32(unhex(t, high)))<<32 | low
}

// The test case of draft-mcgrew-gcm-test-01 for GMAC, and packets that were made with Python's cryptography:
//
//	body = payload + trailer
//	spi + low + iv + body + AESGCM(key).encrypt(salt + iv, b"", spi + high + low + iv + body)
var gmacVectors = []struct {
	name, key, salt, payload, packet string
	next                             uint8
	high                             string
}{
	{
		name: "128 bits", key: "4c80cdefbb5d10da906ac73c3613a634", salt: "22433c64", next: 1,
		payload: `45000030da3a00008001df3bc0a80005c0a800010800c6cd0200070061626364
			65666768696a6b6c6d6e6f7071727374`,
		packet: `00004321000000070000000000000000
			45000030da3a00008001df3bc0a80005c0a800010800c6cd0200070061626364
			65666768696a6b6c6d6e6f707172737401020201f2a9a836e155106aa8dcd618e4099aaa`,
	},
	{
		name: "192 bits", key: "000102030405060708090a0b0c0d0e0f1011121314151617", salt: "cafebabe", next: 4, payload: echo,
		packet: `00008765000000025a0000000000000745000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d
			02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233
			34353637010202047fd4576994fa2df6e77517221503b2cf`,
	},
	{
		name: "256 bits, extended sequence number", key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		salt: "cafebabe", next: 4, high: "00000001", payload: echo,
		packet: `00008765000000025a0000000000000745000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d
			02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233
			3435363701020204f92bb96be572789871d2c0b6fb77d3e7`,
	},
}

func TestGMACVectors(t *testing.T) {
	for _, v := range gmacVectors {
		t.Run(v.name, func(t *testing.T) {
			checkCounted(t, policy.CipherGMAC, v.key, v.salt, v.high, unhex(t, v.packet), unhex(t, v.payload), v.next)
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
			s := mustNew(t, sa, Options{Rand: bytes.NewReader(want[8:24]), First: sequenceOf(t, "", want)})
			want = append(want, s.suite.(*separate).digest(want, 0)[:16]...)
			checkVector(t, s, unhex(t, v.payload), v.next, want)
		})
	}
}

// echo is the inner packet of case 7 of RFC 3602 §4.
const echo = `45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d
	02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223
	2425262728292a2b2c2d2e2f3031323334353637`

// Nobody has published ESP packets of these, so OpenSSL 3.0 made them around echo, by parts:
//
//	openssl enc -des-ede3-cbc|-aes-192-cbc|-aes-256-cbc -nopad -K KEY -iv IV    of payload and trailer
//	openssl dgst -sha1|-sha256|-sha384|-sha512 -mac hmac -macopt hexkey:KEY     of SPI to Next Header, and high behind that
var separateVectors = []struct {
	name, high, key, integrity, packet string
	transform                          policy.Transform
}{
	{
		name: "3DES, HMAC-SHA-1", transform: policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}, high: "",
		key: "0123456789abcdeffedcba98765432100f1e2d3c4b5a6978", integrity: "303132333435363738396162636465666768696a",
		packet: `0000876500000002f4e765244f6407adc63172b3dfc932f93b0086af4a182709a8b5f523d895d585adf06845406438fc
			a5e7eb779802ddff86334908489868b8b6cd1c527d193689d3d047e67fbf7e88279541835c22720024e9a846beb9073d
			b8c73822407b12abb07e86f6c10a86b8ee40c2f5`,
	},
	{
		name: "3DES, HMAC-SHA-384, extended sequence number", transform: policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA384, ESN: true}, high: "00000001",
		key: "0123456789abcdeffedcba98765432100f1e2d3c4b5a6978", integrity: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",
		packet: `0000876500000002f4e765244f6407adc63172b3dfc932f93b0086af4a182709a8b5f523d895d585adf06845406438fc
			a5e7eb779802ddff86334908489868b8b6cd1c527d193689d3d047e67fbf7e88279541835c22720024e9a846beb9073d
			b8c73822407b12abf372af3142ce181bd9847e3dc04a41daa1b968c1d30fe2e7`,
	},
	{
		name: "NULL, HMAC-SHA-256", transform: policy.Transform{Cipher: policy.CipherNULL, Integrity: policy.IntegrityHMACSHA256}, high: "",
		key: "", integrity: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		packet: `000087650000000245000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b
			0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204
			1a35710025194cb890ee5e56c3e53449`,
	},
	{
		name: "NULL, HMAC-SHA-512, extended sequence number", transform: policy.Transform{Cipher: policy.CipherNULL, Integrity: policy.IntegrityHMACSHA512, ESN: true}, high: "ffffffff",
		key: "", integrity: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
		packet: `000087650000000245000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b
			0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204
			43e05eccf3a3038f82f2d96227df6c5fccdaf1df7f843062617957b077144aac`,
	},
	{
		name: "AES-CBC of 192 bits, HMAC-SHA-512", transform: policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: 192, Integrity: policy.IntegrityHMACSHA512}, high: "",
		key: "000102030405060708090a0b0c0d0e0f1011121314151617", integrity: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
		packet: `0000876500000002404142434445464748494a4b4c4d4e4f1a4acaf03ea5978ec6ad8276b9082a6950d12bbf1e826399
			67f5b4eb8501fa426ea755114db2160b8a81653814f95bc99be8b69d6652c671ed1110bb374cb94a6569eb51e01b9f67
			fa827e83c59b825689d414918fab4e199ca98e920172c3d9617aee5be89bc1fe01ca369fa16117c7f5257e4489b91663
			285a55450c98c112`,
	},
	{
		name: "AES-CBC of 256 bits, HMAC-SHA-1, extended sequence number", transform: policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: 256, Integrity: policy.IntegrityHMACSHA1, ESN: true}, high: "00000002",
		key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", integrity: "000102030405060708090a0b0c0d0e0f10111213",
		packet: `0000876500000002404142434445464748494a4b4c4d4e4ff92309cd582cfc51e102f468151486260233f2a859a1445a
			3c4244856d43c5b1a1204cc32ddae6665bd3a0c8101b8236fcdf30303af3b0e8a2150248cf14fcfc55b613d0411ecdec
			e7412d55c9a2f2b8dee1225fba140fe9678c3b0dffbc065f9e25fff0570ef23639e85236`,
	},
}

func TestSeparateVectors(t *testing.T) {
	for _, v := range separateVectors {
		t.Run(v.name, func(t *testing.T) {
			want := unhex(t, v.packet)
			sa := policy.TrafficSA{SPI: binary.BigEndian.Uint32(want), Transform: v.transform, CipherKey: unhex(t, v.key), IntegrityKey: unhex(t, v.integrity)}
			s := mustNew(t, sa, Options{Rand: bytes.NewReader(want[8:]), Window: window(sa), First: sequenceOf(t, v.high, want)})
			checkVector(t, s, unhex(t, echo), NextIPv4, want)
		})
	}
}

// The authentication vectors of RFC 4868 §2.7.2 (AUTH512-4 with the key of erratum 1785) and those of RFC 2202 §3 with keys of
// 20 octets, cut to 96 bits (RFC 2404 §2). Their data is put where an ESP packet would be.
func TestHMACVectors(t *testing.T) {
	const jefe, wanted = "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f"
	of := strings.Repeat
	for _, v := range []struct {
		name, key, data, icv string
		integrity            policy.Integrity
	}{
		{"AUTH256-1", of("0b", 32), hi, "198a607eb44bfbc69903a0f1cf2bbdc5", policy.IntegrityHMACSHA256},
		{"AUTH256-2", of(jefe, 8), wanted, "167f928588c5cc2eef8e3093caa0e87c", policy.IntegrityHMACSHA256},
		{"AUTH256-3", of("aa", 32), of("dd", 50), "cdcb1220d1ecccea91e53aba3092f962", policy.IntegrityHMACSHA256},
		{"AUTH256-4", counted(1, 32), of("cd", 50), "372efcf9b40b35c2115b1346903d2ef4", policy.IntegrityHMACSHA256},
		{"AUTH384-1", of("0b", 48), hi, "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973", policy.IntegrityHMACSHA384},
		{"AUTH384-2", of(jefe, 12), wanted, "2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d", policy.IntegrityHMACSHA384},
		{"AUTH384-3", of("aa", 48), of("dd", 50), "809f439be00274321d4a538652164b53554a508184a0c316", policy.IntegrityHMACSHA384},
		{"AUTH384-4", counted(1, 32) + counted(10, 16), of("cd", 50), "5b540085c6e6358096532b2493609ed1cb298f774f87bb5c",
			policy.IntegrityHMACSHA384},
		{"AUTH512-1", of("0b", 64), hi, "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8", policy.IntegrityHMACSHA512},
		{"AUTH512-2", of(jefe, 16), wanted, "cb370917ae8a7ce28cfd1d8f4705d6141c173b2a9362c15df235dfb251b15454", policy.IntegrityHMACSHA512},
		{"AUTH512-3", of("aa", 64), of("dd", 50), "2ee7acd783624ca9398710f3ee05ae41b9f9b0510c87e49e586cc9bf961733d8",
			policy.IntegrityHMACSHA512},
		{"AUTH512-4", counted(1, 64), of("cd", 50), "5e6688e5a3daec826ca32eaea224eff5e700628947470e13ad01302561bab108",
			policy.IntegrityHMACSHA512},
		{"RFC 2202 case 1", of("0b", 20), hi, "b617318655057264e28bc0b6", policy.IntegrityHMACSHA1},
		{"RFC 2202 case 3", of("aa", 20), of("dd", 50), "125d7342b9ac11cd91a39af4", policy.IntegrityHMACSHA1},
		{"RFC 2202 case 5", of("0c", 20), hex.EncodeToString([]byte("Test With Truncation")), "4c1a03424b55e07fe7f27be1",
			policy.IntegrityHMACSHA1},
	} {
		t.Run(v.name, func(t *testing.T) {
			sa := policy.TrafficSA{SPI: 1, Transform: policy.Transform{Cipher: policy.CipherNULL, Integrity: v.integrity}, IntegrityKey: unhex(t, v.key)}
			c := mustNew(t, sa, Options{}).suite.(*separate)
			for range 2 { // the state is reset between packets
				if got := hex.EncodeToString(c.digest(unhex(t, v.data), 0)[:c.icv]); got != v.icv {
					t.Errorf("ICV %s, want %s", got, v.icv)
				}
			}
		})
	}
}

const hi = "4869205468657265" // "Hi There"

// counted is n octets that count from first, in hexadecimal.
func counted(first byte, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return hex.EncodeToString(b)
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
