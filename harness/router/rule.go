package router

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Kind is what a rule finds: a thing with fields.
type Kind string

// The kinds. SAs and members belong to the group that was found last, or to one without a name.
const (
	Group  Kind = "group"
	SA     Kind = "sa"
	Member Kind = "member" // of a group, as a key server knows it
)

// Rule says what a line of an answer means. Every rule is tried on every line.
type Rule struct {
	Line   *regexp.Regexp    // the groups with names are fields
	Begins Kind              // "": the fields are those of the thing that was found last
	In     []string          // parts of the answer in which it counts; none: all
	Then   string            // the part that begins behind the line; "": none does
	Sets   map[string]string // fields that such a line says without words
	Means  map[string]map[string]string
}

// View is a command and how its answer is read. Views are read one after the other, as if they were one text.
type View struct {
	Command string
	Rules   []Rule
}

// Thing is what was found of one kind.
type Thing map[string]string

// Found is a group with what belongs to it.
type Found struct {
	Thing
	SAs, Members []Thing
}

// identity are the fields by which a thing is known that another view, or another line, has already.
var identity = map[Kind][]string{Group: {"group", "name"}, SA: {"spi"}, Member: {"address", "identity"}}

// reading is an answer on its way through the rules.
type reading struct {
	groups []*Found
	group  *Found // that was found last
	kind   Kind   // of the thing that was found last
	thing  Thing  // which that is
	part   string
}

// Read takes the answers to the views apart. Every text can be read; of what no rule knows nothing is found.
func Read(views []View, answers []string) []Found {
	var r reading
	for i, v := range views[:min(len(views), len(answers))] {
		r.part = ""
		for _, line := range strings.Split(answers[i], "\n") {
			r.line(v.Rules, strings.TrimRight(line, "\r \t"))
		}
	}
	found := make([]Found, len(r.groups))
	for i, g := range r.groups {
		found[i] = *g
	}
	return found
}

func (r *reading) line(rules []Rule, text string) {
	part := r.part
	for i := range rules {
		rule := &rules[i]
		if len(rule.In) > 0 && !slices.Contains(rule.In, part) {
			continue
		}
		matched := rule.Line.FindStringSubmatch(text)
		if matched == nil {
			continue
		}
		r.take(rule, rule.fields(matched))
		if rule.Then != "" {
			r.part = rule.Then
		}
	}
}

// fields are those that a line has, in words of ours.
func (rule *Rule) fields(matched []string) Thing {
	fields := make(Thing)
	for name, value := range rule.Sets {
		fields[name] = value
	}
	for i, name := range rule.Line.SubexpNames() {
		if name == "" || matched[i] == "" {
			continue
		}
		value := strings.TrimSpace(matched[i])
		if meant, ok := rule.Means[name][value]; ok {
			value = meant
		}
		fields[name] = value
	}
	return fields
}

// take puts fields where they belong. A later line has the last word.
func (r *reading) take(rule *Rule, fields Thing) {
	switch {
	case rule.Begins != "":
		r.kind, r.thing = rule.Begins, r.find(rule.Begins, fields)
	case r.thing == nil:
		r.kind, r.thing = Group, r.find(Group, nil)
	}
	for name, value := range fields {
		r.thing[name] = value
	}
}

// find returns the thing that has the same identity, or a new one.
func (r *reading) find(k Kind, fields Thing) Thing {
	if k == Group {
		for _, g := range r.groups {
			if same(k, g.Thing, fields) {
				r.group = g
				return g.Thing
			}
		}
		r.group = &Found{Thing: make(Thing)}
		r.groups = append(r.groups, r.group)
		return r.group.Thing
	}
	if r.group == nil {
		r.find(Group, nil)
	}
	list := &r.group.SAs
	if k == Member {
		list = &r.group.Members
	}
	for _, one := range *list {
		if same(k, one, fields) {
			return one
		}
	}
	one := make(Thing)
	*list = append(*list, one)
	return one
}

func same(k Kind, a, b Thing) bool {
	for _, name := range identity[k] {
		if a[name] != "" && b[name] != "" {
			return plain(a[name]) == plain(b[name])
		}
	}
	return false
}

// plain is how an identity is compared: an SPI may have zeros or 0x in front, or not.
func plain(text string) string {
	return strings.TrimLeft(strings.TrimPrefix(strings.ToLower(text), "0x"), "0")
}

// Check returns what is wrong with a rule that was read from somewhere: fields that nothing has.
func (rule *Rule) Check() error {
	if rule.Line == nil {
		return nil
	}
	names := slices.DeleteFunc(slices.Clone(rule.Line.SubexpNames()), func(n string) bool { return n == "" })
	for name := range rule.Sets {
		names = append(names, name)
	}
	for _, name := range names {
		if !known(rule.Begins, name) {
			return fmt.Errorf("there is no field %q; known are %s", name, strings.Join(Fields(rule.Begins), ", "))
		}
	}
	for name := range rule.Means {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the line finds no %q that could mean something", name)
		}
	}
	return nil
}

func known(k Kind, name string) bool { return slices.Contains(Fields(k), name) }
