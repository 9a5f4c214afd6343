package policy

import (
	"encoding/hex"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

type oidDoc struct {
	OID     string `yaml:"oid"`
	Payload string `yaml:"payload,omitempty"`
}

type iecDoc struct {
	oidDoc         `yaml:",inline"`
	Authentication string `yaml:"authentication,omitempty"`
	Encryption     string `yaml:"encryption,omitempty"`
	ATD            string `yaml:"atd,omitempty"`
	KDA            *int   `yaml:"key_assurance,omitempty"`
}

func oidDocOf(n OIDName) *oidDoc {
	if n == (OIDName{}) {
		return nil
	}
	return &oidDoc{OID: n.OID, Payload: hex.EncodeToString([]byte(n.Payload))}
}

func iecDocOf(s SAPolicy) (*iecDoc, error) {
	authentication, ok1 := word(iecAuthentications, s.Transform.Authentication)
	encryption, ok2 := word(iecEncryptions, s.Transform.Encryption)
	name := oidDocOf(s.Selector.Traffic)
	if !ok1 || !ok2 || name == nil {
		return nil, fmt.Errorf("transform %+v of %q has no name", s.Transform, s.Selector.Traffic)
	}
	doc := &iecDoc{oidDoc: *name, Authentication: authentication, Encryption: encryption, KDA: s.Handling.KDA}
	if s.Handling.ATD != nil {
		doc.ATD = yamldoc.Duration(*s.Handling.ATD)
	}
	return doc, nil
}
