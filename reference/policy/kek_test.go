package policy_test

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// rekeyWith is a key server's configuration with that cipher of the rekey.
func rekeyWith(cipher string) []byte {
	return []byte(strings.Replace(keyServerYAML, "transport: unicast", "transport: unicast\n      cipher: "+cipher, 1))
}

// Each word for a cipher of the KEK means one that can be used, and comes back as the same word.
func TestKEKNames(t *testing.T) {
	for word, want := range map[string]policy.KEKTransform{
		"aes128-cbc": policy.DefaultKEK,
		"aes192-cbc": {Cipher: policy.KEKAES, KeyBits: 192},
		"aes256-cbc": {Cipher: policy.KEKAES, KeyBits: 256},
		"3des":       {Cipher: policy.KEK3DES, KeyBits: 192},
	} {
		k, err := policy.ParseKeyServer("ks.yaml", rekeyWith(word), keys(t))
		if err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		got := k.Groups[0].Rekey.KEK
		if got != want || got.Check() != nil {
			t.Errorf("%s is %+v: %v", word, got, got.Check())
		}
		text, err := policy.MarshalKeyServer(k, "sign.pem")
		if err != nil || !strings.Contains(string(text), "cipher: "+word+"\n") {
			t.Errorf("%s is not written: %v\n%s", word, err, text)
		}
	}
}

func TestKEKCheck(t *testing.T) {
	for name, kek := range map[string]policy.KEKTransform{
		"none":                {},
		"DES":                 {Cipher: 1, KeyBits: 64},
		"AES without length":  {Cipher: policy.KEKAES},
		"AES of 64 bits":      {Cipher: policy.KEKAES, KeyBits: 64},
		"3DES without length": {Cipher: policy.KEK3DES},
		"3DES of 128 bits":    {Cipher: policy.KEK3DES, KeyBits: 128},
	} {
		if kek.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
}
