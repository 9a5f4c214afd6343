// Package keylog is the form in which a node hands out key material for evidence: one JSON object a line, or the elements
// of keys.json in a spec's evidence folder. It is written only when somebody asks for it, as with a TLS key log.
package keylog
