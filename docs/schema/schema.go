// Package schema holds the JSON Schemas of the files that gdoilab reads and writes.
package schema

import (
	"embed"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// FS has the schemas.
//
//go:embed *.schema.json
var FS embed.FS

// The schemas.
const (
	Catalogue  = "catalogue.schema.json"
	Report     = "report.schema.json"
	Spec       = "spec.schema.json"
	Decode     = "decode.schema.json"
	Diff       = "diff.schema.json"
	List       = "list.schema.json"
	Explain    = "explain.schema.json"
	Coverage   = "coverage.schema.json"
	Places     = "places.schema.json"
	Messages   = "messages.schema.json"
	Selftest   = "selftest.schema.json"
	Deviations = "deviations.schema.json"
	Doctor     = "doctor.schema.json"
	Version    = "version.schema.json"
	Peer       = "peer.schema.json"
	Interop    = "interop.schema.json"
	Driver     = "driver.schema.json"
	Policy     = "policy.schema.json"
)

// base is what the schemas' own $id begin with, so that they find each other.
const base = "https://gdoilab.example/schema/"

// Compile makes a schema ready for validation. Schemas may refer to each other.
func Compile(name string) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	entries, err := FS.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	for _, e := range entries {
		f, err := FS.Open(e.Name())
		if err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
		doc, err := jsonschema.UnmarshalJSON(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("schema: %s: %w", e.Name(), err)
		}
		if err := c.AddResource(base+e.Name(), doc); err != nil {
			return nil, fmt.Errorf("schema: %s: %w", e.Name(), err)
		}
	}
	s, err := c.Compile(base + name)
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", name, err)
	}
	return s, nil
}
