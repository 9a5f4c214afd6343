package policy

type aceDoc struct {
	Action      string `yaml:"action"`
	selectorDoc `yaml:",inline"`
}

func aceDocs(list []ACE) (docs []aceDoc) {
	for _, e := range list {
		action, _ := denies.Of(e.Deny)
		docs = append(docs, aceDoc{action, selectorDocOf(e.Selector)})
	}
	return docs
}
