package policy_test

import (
	"bytes"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// asJSON is a document in the other notation. JSON is YAML, so it is read as it is.
func asJSON(t *testing.T, text []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Compile(schema.Policy)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("the schema refuses it: %v\n%s", err, doc)
	}
	return doc
}

// A configuration can be handed over as JSON, which is what the schema says, and is the same.
func TestJSONRoundTrip(t *testing.T) {
	ks := fullKeyServer(t)
	text, err := policy.MarshalKeyServer(ks, string(policy.SigningKeyPEM(ks)))
	doc := asJSON(t, text, err)
	again, err := policy.ParseKeyServer("ks.yaml", doc, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if diff := cmp.Diff(ks, again, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	gm := fullMember()
	text, err = policy.MarshalMember(gm)
	doc = asJSON(t, text, err)
	member, err := policy.ParseMember("gm.yaml", doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if diff := cmp.Diff(gm, member, compare, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
