package policy

import "fmt"

type clientDoc struct {
	Ciphers    []string `yaml:"ciphers,omitempty"`
	Hashes     []string `yaml:"hashes,omitempty"`
	Transforms []string `yaml:"transforms,omitempty"`
}

// clientDocOf leaves out what limits nothing.
func clientDocOf(c Client) (*clientDoc, error) {
	if !c.Limits() {
		return nil, nil
	}
	var doc clientDoc
	for _, t := range c.Ciphers {
		name, ok := word(kekTransforms, t)
		if !ok {
			return nil, fmt.Errorf("KEK cipher %d with %d bits has no name", t.Cipher, t.KeyBits)
		}
		doc.Ciphers = append(doc.Ciphers, name)
	}
	for _, h := range c.Hashes {
		name, ok := word(sigHashes, h)
		if !ok {
			return nil, fmt.Errorf("signature hash %d has no name", h)
		}
		doc.Hashes = append(doc.Hashes, name)
	}
	for _, t := range c.Transforms {
		doc.Transforms = append(doc.Transforms, t.Name())
	}
	return &doc, nil
}
