package policy

import (
	"fmt"
	"net/netip"
)

type snmpDoc struct {
	Listen    string        `yaml:"listen"`
	Community string        `yaml:"community,omitempty"`
	Users     []snmpUserDoc `yaml:"users,omitempty"`
	Traps     []string      `yaml:"traps,omitempty"`
}

type snmpUserDoc struct {
	Name     string `yaml:"name"`
	Hash     string `yaml:"hash"`
	Password string `yaml:"password"`
	Privacy  string `yaml:"privacy"`
}

type trackDoc struct {
	Number    int      `yaml:"number"`
	DelayUp   string   `yaml:"delay_up,omitempty"`
	DelayDown string   `yaml:"delay_down,omitempty"`
	Hook      []string `yaml:"hook,omitempty"`
}

func snmpDocOf(s *SNMP) (*snmpDoc, error) {
	if s == nil {
		return nil, nil
	}
	doc := &snmpDoc{Listen: s.Listen.String(), Community: s.Community, Traps: texts[netip.AddrPort](s.Traps)}
	for _, u := range s.Users {
		hash, ok := snmpHashes.Of(u.Hash)
		if !ok {
			return nil, fmt.Errorf("policy: hash %d of the SNMP user %s has no name", uint8(u.Hash), u.Name)
		}
		doc.Users = append(doc.Users, snmpUserDoc{Name: u.Name, Hash: hash, Password: u.Password, Privacy: u.Privacy})
	}
	return doc, nil
}

func trackDocOf(t *Track) *trackDoc {
	if t == nil {
		return nil
	}
	return &trackDoc{Number: t.Number, DelayUp: duration(t.DelayUp), DelayDown: duration(t.DelayDown), Hook: t.Hook}
}
