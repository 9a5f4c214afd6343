package policy_test

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// The octets of a group's number stand in the order in which they are sent, whatever number they are elsewhere.
func TestGroupIDOfOctets(t *testing.T) {
	parse := func(id string) (policy.KeyServer, error) {
		return policy.ParseKeyServer("ks.yaml", []byte(strings.Replace(keyServerYAML, "id: 1234", "id: "+id, 1)), keys(t))
	}
	k, err := parse("{octets: d2040000}")
	if err != nil || k.Groups[0].ID != 0xd2040000 {
		t.Errorf("%+v, %v", k.Groups, err)
	}
	for id, want := range map[string]string{
		`{octets: d20400}`:         "four octets in hexadecimal",
		`{octets: d204000000}`:     "four octets in hexadecimal",
		`{octets: nothing!}`:       "four octets in hexadecimal",
		`{octets: d2040000, a: 1}`: "a",
	} {
		if _, err := parse(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// The switches for old daemons come back from a file as they were written.
func TestCompatibilityRoundTrip(t *testing.T) {
	k, err := policy.ParseKeyServer("ks.yaml", []byte(keyServerYAML), keys(t))
	if err != nil {
		t.Fatal(err)
	}
	k.Phase1.AnySituation, k.Phase1.TransformsFromZero, k.Groups[0].ZeroAttributes = true, true, true
	text, err := policy.MarshalKeyServer(k, "ks1.pem")
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.ParseKeyServer("ks.yaml", text, keys(t))
	if err != nil || !again.Phase1.AnySituation || !again.Phase1.TransformsFromZero || !again.Groups[0].ZeroAttributes {
		t.Errorf("%+v, %v\n%s", again, err, text)
	}
}
