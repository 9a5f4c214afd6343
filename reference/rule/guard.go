package rule

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ID names one requirement of the catalogue, for example "RFC6407-4.4-02".
type ID string

// Role is the side of the protocol that a requirement binds.
type Role uint8

// The roles. Both means that the same guard stands in a key server and in a group member.
const (
	KS Role = iota + 1
	GM
	Both
)

// String returns the role as the catalogue spells it.
func (r Role) String() string {
	switch r {
	case KS:
		return "KS"
	case GM:
		return "GM"
	case Both:
		return "both"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// Kind is what a guard does, and so which mutants it has.
type Kind uint8

// The kinds of guards; see the package comment.
const (
	KindCheck Kind = iota + 1
	KindBound
	KindTimer
	KindDuty
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case KindCheck:
		return "check"
	case KindBound:
		return "bound"
	case KindTimer:
		return "timer"
	case KindDuty:
		return "duty"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Guard is one check or duty of the reference and the requirement behind it. Guards are compared by pointer.
type Guard struct {
	Name string // unique, dotted: package, message, field; "member.push.seq"
	ID   ID
	Role Role
	Kind Kind
	Doc  string        // one sentence: what holds while the guard is on
	Unit time.Duration // of a Timer: what a mutant moves it by

	index int
}

var registry struct {
	sync.Mutex
	guards []*Guard
}

func register(g Guard) *Guard {
	registry.Lock()
	defer registry.Unlock()
	for _, have := range registry.guards {
		if have.Name == g.Name {
			panic("rule: guard " + g.Name + " is declared twice")
		}
	}
	g.index = len(registry.guards)
	registry.guards = append(registry.guards, &g)
	return &g
}

// Check declares a yes-or-no condition. It is called from package variables only.
func Check(name string, id ID, role Role, doc string) *Guard {
	return register(Guard{Name: name, ID: id, Role: role, Kind: KindCheck, Doc: doc})
}

// Bound declares a comparison with a number.
func Bound(name string, id ID, role Role, doc string) *Guard {
	return register(Guard{Name: name, ID: id, Role: role, Kind: KindBound, Doc: doc})
}

// Timer declares a delay whose mutants are one unit shorter and one unit longer.
func Timer(name string, id ID, role Role, unit time.Duration, doc string) *Guard {
	return register(Guard{Name: name, ID: id, Role: role, Kind: KindTimer, Unit: unit, Doc: doc})
}

// Duty declares an obligation of a sender.
func Duty(name string, id ID, role Role, doc string) *Guard {
	return register(Guard{Name: name, ID: id, Role: role, Kind: KindDuty, Doc: doc})
}

// All returns every guard that the linked packages declare, ordered by name.
func All() []*Guard {
	registry.Lock()
	defer registry.Unlock()
	all := slices.Clone(registry.guards)
	slices.SortFunc(all, func(a, b *Guard) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Find returns the guard of that name.
func Find(name string) (*Guard, bool) {
	for _, g := range All() {
		if g.Name == name {
			return g, true
		}
	}
	return nil, false
}

// String returns the guard's name and requirement.
func (g *Guard) String() string { return g.Name + " (" + string(g.ID) + ")" }

// Holds reports whether a Check is satisfied: the condition is true, or the guard is off.
func (g *Guard) Holds(s *Switches, condition bool) bool { return condition || s.of(g) == Off }

// Above reports v > bound.
func (g *Guard) Above(s *Switches, v, bound uint64) bool {
	switch s.of(g) {
	case Off:
		return true
	case Up:
		return v > bound && v-bound > 1 // v > bound+1 without overflow
	case Down:
		return v >= bound
	}
	return v > bound
}

// AtLeast reports v >= bound.
func (g *Guard) AtLeast(s *Switches, v, bound uint64) bool {
	switch s.of(g) {
	case Off:
		return true
	case Up:
		return v > bound
	case Down:
		return v >= bound || bound-v == 1
	}
	return v >= bound
}

// AtMost reports v <= bound.
func (g *Guard) AtMost(s *Switches, v, bound uint64) bool {
	switch s.of(g) {
	case Off:
		return true
	case Up:
		return v <= bound || v-bound == 1
	case Down:
		return v < bound
	}
	return v <= bound
}

// Delay returns d, or d moved by one unit in a mutant.
func (g *Guard) Delay(s *Switches, d time.Duration) time.Duration {
	switch s.of(g) {
	case Up:
		return d + g.Unit
	case Down:
		return d - g.Unit
	}
	return d
}

// Kept reports whether a Duty is to be fulfilled; it is false only in the mutant that neglects it.
func (g *Guard) Kept(s *Switches) bool { return s.of(g) != Broken }

// Violation is the error of a guard that did not hold. Detail says what was seen, without the requirement's id.
type Violation struct {
	Guard  *Guard
	Detail string
}

// Violated makes the error of this guard.
func (g *Guard) Violated(format string, args ...any) *Violation {
	if len(args) == 0 {
		return &Violation{Guard: g, Detail: format}
	}
	return &Violation{Guard: g, Detail: fmt.Sprintf(format, args...)}
}

// Error returns the detail and the requirement that was broken.
func (v *Violation) Error() string { return v.Detail + " [" + string(v.Guard.ID) + "]" }
