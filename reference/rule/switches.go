package rule

import "fmt"

// Mutation is one way of altering a guard.
type Mutation uint8

// The mutations. None is the guard as it should be.
const (
	None   Mutation = iota
	Off             // a Check or Bound lets everything pass
	Up              // a Bound is one higher, a Timer one unit longer
	Down            // a Bound is one lower, a Timer one unit shorter
	Broken          // a Duty is neglected
)

var mutationNames = [...]string{"none", "off", "up", "down", "broken"}

// String returns the mutation's name, as ParseMutation reads it.
func (m Mutation) String() string {
	if int(m) < len(mutationNames) {
		return mutationNames[m]
	}
	return fmt.Sprintf("mutation(%d)", uint8(m))
}

// ParseMutation reads a mutation's name.
func ParseMutation(s string) (Mutation, error) {
	for i, name := range mutationNames {
		if name == s {
			return Mutation(i), nil
		}
	}
	return None, fmt.Errorf("rule: %q is no mutation (none, off, up, down, broken)", s)
}

// Mutations lists the ways in which a guard of this kind can be altered.
func (k Kind) Mutations() []Mutation {
	switch k {
	case KindCheck:
		return []Mutation{Off}
	case KindBound:
		return []Mutation{Off, Up, Down}
	case KindTimer:
		return []Mutation{Up, Down}
	case KindDuty:
		return []Mutation{Broken}
	}
	return nil
}

// Switches holds the altered guards of one node. The zero value and nil alter nothing. It is set up before the node
// starts and only read afterwards.
type Switches struct{ altered []Mutation }

func (s *Switches) of(g *Guard) Mutation {
	if s == nil || g.index >= len(s.altered) {
		return None
	}
	return s.altered[g.index]
}

// Set alters the guard of that name, as "member.push.seq" and "off". It fails if the guard does not exist or cannot be
// altered so.
func (s *Switches) Set(name, mutation string) error {
	g, ok := Find(name)
	if !ok {
		return fmt.Errorf("rule: there is no guard %q", name)
	}
	m, err := ParseMutation(mutation)
	if err != nil {
		return err
	}
	allowed := m == None
	for _, k := range g.Kind.Mutations() {
		allowed = allowed || k == m
	}
	if !allowed {
		return fmt.Errorf("rule: a %s such as %s cannot be altered by %q", g.Kind, g.Name, m)
	}
	for len(s.altered) <= g.index {
		s.altered = append(s.altered, None)
	}
	s.altered[g.index] = m
	return nil
}
