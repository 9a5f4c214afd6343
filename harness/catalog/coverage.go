package catalog

// Claim says which requirements one spec tests.
type Claim struct {
	Spec         string
	Requirements []string
}

// Covered is one requirement and the specs that test it; none means that it is not covered.
type Covered struct {
	Requirement Requirement
	Specs       []string
}

// Coverage sets the claims of specs against the catalogue: every requirement in the catalogue's order with the specs
// that test it, in the order of the claims. A claim on an unknown id is an *UnknownError.
func Coverage(c *Catalog, claims []Claim) ([]Covered, error) {
	rows := make([]Covered, len(c.all))
	for i, r := range c.all {
		rows[i].Requirement = r
	}
	for _, claim := range claims {
		for _, id := range claim.Requirements {
			i, ok := c.byID[id]
			if !ok {
				return nil, &UnknownError{ID: id, Near: c.Suggest(id)}
			}
			rows[i].Specs = append(rows[i].Specs, claim.Spec)
		}
	}
	return rows, nil
}
