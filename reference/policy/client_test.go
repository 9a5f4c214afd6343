package policy_test

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// vendorsMember is a member of profile getvpn with more lines.
func vendorsMember(more string) []byte {
	return []byte(strings.Replace(memberYAML, "group: 1234\n", "group: 1234\nprofile: getvpn\n"+more, 1))
}

func TestClient(t *testing.T) {
	m, err := policy.ParseMember("gm.yaml", vendorsMember("client: {ciphers: [aes256-cbc], hashes: [sha384], transforms: [aes128-gcm16, aes256-cbc-hmac-sha256]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := m.Client
	if !c.Limits() || !c.TakesCipher(policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256}) || c.TakesCipher(policy.DefaultKEK) {
		t.Errorf("ciphers %+v", c)
	}
	if !c.TakesHash(policy.SigHashSHA384) || c.TakesHash(policy.SigHashSHA256) {
		t.Errorf("hashes %+v", c)
	}
	gcm := policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTransport, Preservation: policy.PreserveBoth}
	if !c.TakesTransform(gcm) {
		t.Error("the mode of an SA is none of its algorithms")
	}
	if gcm.KeyBits = 256; c.TakesTransform(gcm) {
		t.Error("a key of another length is another transform")
	}
	var anything policy.Client
	if anything.Limits() || !anything.TakesCipher(policy.DefaultKEK) || !anything.TakesHash(policy.SigHashSHA1) || !anything.TakesTransform(gcm) {
		t.Error("no lists take all")
	}
}

func TestClientProblems(t *testing.T) {
	seven := strings.Repeat("aes128-gcm16, ", 7)
	servers := strings.Repeat("10.0.0.1:1, ", 9)
	for i := range 9 {
		servers = strings.Replace(servers, ":1,", ":"+string(rune('2'+i%8))+strings.Repeat("0", 1+i/8)+",", 1)
	}
	for more, says := range map[string]string{
		"client: {transforms: [" + seven + "]}\n":       "gm.yaml:6:9: client: 7 transforms; a member names 6 at most",
		"client: {ciphers: []}\n":                       "name at least one cipher",
		"client: {hashes: [md5]}\n":                     "md5",
		"client: {colour: red}\n":                       "colour",
		"key_servers_: 1\nclient: {hashes: [sha256]}\n": "key_servers_",
	} {
		_, err := policy.ParseMember("gm.yaml", vendorsMember(more))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", more, err, says)
		}
	}
	plain := strings.Replace(memberYAML, "group: 1234\n", "group: 1234\nclient: {hashes: [sha256]}\n", 1)
	if _, err := policy.ParseMember("gm.yaml", []byte(plain)); err == nil || !strings.Contains(err.Error(), "5:9: client: this is for profile getvpn") {
		t.Error(err)
	}
	nine := strings.Replace(string(vendorsMember("")), "[10.0.0.1]", "["+servers+"]", 1)
	if _, err := policy.ParseMember("gm.yaml", []byte(nine)); err == nil || !strings.Contains(err.Error(), "9 key servers; profile getvpn has 8 at most") {
		t.Error(err)
	}
}

func TestClientWithoutName(t *testing.T) {
	for _, c := range []policy.Client{{Ciphers: []policy.KEKTransform{{Cipher: 9}}}, {Hashes: []policy.SigHash{77}}} {
		if text, err := policy.MarshalMember(policy.Member{Client: c}); err == nil {
			t.Errorf("%+v became\n%s", c, text)
		}
	}
}
