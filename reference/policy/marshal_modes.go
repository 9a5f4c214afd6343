package policy

import "fmt"

type authorizationDoc struct {
	Addresses  *[]string `yaml:"addresses,omitempty"`
	Identities *[]string `yaml:"identities,omitempty"`
}

type failCloseDoc struct {
	Activate   bool                `yaml:"activate,omitempty"`
	AccessList []failCloseEntryDoc `yaml:"access_list,omitempty"`
	Revert     bool                `yaml:"revert,omitempty"`
}

type failCloseEntryDoc struct {
	selectorDoc `yaml:",inline"`
	Action      string `yaml:"action"`
}

func authorizationDocOf(a *Authorization) *authorizationDoc {
	if a == nil {
		return nil
	}
	var doc authorizationDoc
	if a.Addresses != nil {
		list := texts(*a.Addresses)
		doc.Addresses = &list
	}
	if a.Identities != nil {
		list := make([]string, len(*a.Identities))
		for i, id := range *a.Identities {
			list[i] = id.String()
		}
		doc.Identities = &list
	}
	return &doc
}

func failCloseDocOf(f FailClose) (*failCloseDoc, error) {
	if !f.Activate && !f.Revert && len(f.AccessList) == 0 {
		return nil, nil
	}
	doc := failCloseDoc{Activate: f.Activate, Revert: f.Revert}
	for _, e := range f.AccessList {
		action, ok := aclActions.Of(e.Action)
		if !ok {
			return nil, fmt.Errorf("action %d of an access list has no name", e.Action)
		}
		doc.AccessList = append(doc.AccessList, failCloseEntryDoc{selectorDocOf(e.Selector), action})
	}
	return &doc, nil
}
