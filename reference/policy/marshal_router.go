package policy

type routerDoc struct {
	Interfaces []interfaceDoc   `yaml:"interfaces,omitempty"`
	NullRoutes []string         `yaml:"null_routes,omitempty"`
	Engine     *cryptoEngineDoc `yaml:"crypto_engine,omitempty"`
}

type interfaceDoc struct {
	Name    string `yaml:"name"`
	Address string `yaml:"address"`
}

type cryptoEngineDoc struct {
	Signing       string `yaml:"signing"`
	Registrations int    `yaml:"registrations"`
}

func routerDocOf(r Router) (doc routerDoc) {
	for _, i := range r.Interfaces {
		doc.Interfaces = append(doc.Interfaces, interfaceDoc{i.Name, i.Address.String()})
	}
	doc.NullRoutes = texts(r.NullRoutes)
	if r.Engine != (CryptoEngine{}) {
		doc.Engine = &cryptoEngineDoc{duration(r.Engine.Signing), r.Engine.Registrations}
	}
	return doc
}
