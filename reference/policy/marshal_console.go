package policy

type consoleDoc struct {
	SSH     string           `yaml:"ssh,omitempty"`
	HostKey string           `yaml:"host_key,omitempty"`
	Enable  string           `yaml:"enable,omitempty"`
	Users   []consoleUserDoc `yaml:"users,omitempty"`
}

type consoleUserDoc struct {
	Name       string   `yaml:"name"`
	Password   string   `yaml:"password,omitempty"`
	Keys       []string `yaml:"keys,omitempty"`
	Privileged bool     `yaml:"privileged,omitempty"`
}

// consoleDocOf writes nothing of a node that has none.
func consoleDocOf(c Console) *consoleDoc {
	if !c.Set() {
		return nil
	}
	doc := &consoleDoc{HostKey: c.HostKey, Enable: c.Enable}
	if c.SSH.IsValid() {
		doc.SSH = c.SSH.String()
	}
	for _, u := range c.Users {
		doc.Users = append(doc.Users, consoleUserDoc(u))
	}
	return doc
}
