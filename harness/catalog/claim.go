package catalog

import "slices"

// Claim says which requirements one spec tests, of a device in which role, and where it can run.
type Claim struct {
	Spec         string   `json:"spec"`
	DUT          string   `json:"dut"` // KS, GM or both
	Fabrics      []string `json:"fabrics"`
	Requirements []string `json:"-"`
}

// of reports whether the spec tests a device in that role.
func (c Claim) of(role string) bool { return c.DUT == role || c.DUT == "both" }

// Halves are the roles that the requirement binds: one, or both.
func (r Requirement) Halves() []string {
	if r.Role == "both" {
		return []string{"KS", "GM"}
	}
	return []string{r.Role}
}

// Must reports whether an implementation has no choice, and whether it meets the demand can be seen from outside.
func (r Requirement) Must() bool {
	return slices.Contains(binding, r.Level) && !slices.Contains(unseen, r.Seen())
}

var (
	binding = []string{"MUST", "MUST NOT", "required", "restriction"}
	unseen  = []string{"none", "platform", "doc"}
)

// claimsOf sorts claims by the requirements that they name.
func claimsOf(claims []Claim) map[string][]Claim {
	byID := make(map[string][]Claim)
	for _, claim := range claims {
		for _, id := range claim.Requirements {
			byID[id] = append(byID[id], claim)
		}
	}
	return byID
}

// untested are the halves of the requirement that none of the claims tests.
func untested(r Requirement, claims []Claim) []string {
	return slices.DeleteFunc(r.Halves(), func(role string) bool {
		return slices.ContainsFunc(claims, func(c Claim) bool { return c.of(role) })
	})
}
