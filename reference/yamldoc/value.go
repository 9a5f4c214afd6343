package yamldoc

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Value is one place in a file.
type Value struct {
	doc  *document
	node ast.Node
	key  *token.Token // of the field whose value this is; nil in lists and at the top
	path string
}

// Path returns the way to the value from the top of the file, such as "groups[0].id".
func (v Value) Path() string { return v.path }

// Problem notes that something is wrong here: what was seen, and what would be right.
func (v Value) Problem(format string, args ...any) {
	v.doc.note(v.token(), v.path, fmt.Sprintf(format, args...))
}

// token returns where the value begins.
func (v Value) token() *token.Token {
	at := start(v.node)
	if at == nil || at.Position == nil || at.Position.Line == 0 {
		return v.key
	}
	return at
}

func start(n ast.Node) *token.Token {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.NullNode:
		if n.Token == nil || n.Token.Value == "" {
			return nil
		}
	}
	return n.GetToken()
}

// Items calls f for each element of a list.
func (v Value) Items(f func(i int, item Value)) {
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		v.Problem("%s where a list is expected", v.seen())
		return
	}
	for i, n := range list.Values {
		f(i, Value{doc: v.doc, node: n, path: fmt.Sprintf("%s[%d]", v.path, i)})
	}
}

// Field is one field that a mapping may have.
type Field struct {
	Name     string
	Required bool
	Read     func(Value)
}

// Required is a field that must be there; what read makes of it goes to the place given.
func Required[T any](name string, to *T, read func(Value) T) Field {
	return Field{Name: name, Required: true, Read: func(v Value) { *to = read(v) }}
}

// Optional is a field that may be left out; then the place keeps what it has.
func Optional[T any](name string, to *T, read func(Value) T) Field {
	return Field{Name: name, Read: func(v Value) { *to = read(v) }}
}

// Has reports whether a mapping has a field of that name.
func (v Value) Has(name string) bool {
	entries, _ := mapping(v.node)
	for _, e := range entries {
		if scalarText(e.Key) == name {
			return true
		}
	}
	return false
}

// List reads every element of a list with the same reader. An empty list is nil.
func List[T any](read func(Value) T) func(Value) []T {
	return func(v Value) []T {
		var all []T
		v.Items(func(_ int, item Value) { all = append(all, read(item)) })
		return all
	}
}

// Some is a List in which there must be at least one of what is named.
func Some[T any](what string, read func(Value) T) func(Value) []T {
	return func(v Value) []T {
		all := List(read)(v)
		if n, ok := v.node.(*ast.SequenceNode); ok && len(n.Values) == 0 {
			v.Problem("the list is empty; name at least one %s", what)
		}
		return all
	}
}

// Fields reads a mapping: each field is handed to its reader in the order of the file. Fields that are unknown, repeated or
// missing are noted. It reports whether the value was a mapping.
func (v Value) Fields(fields ...Field) bool {
	entries, ok := mapping(v.node)
	if !ok {
		v.Problem("%s where a mapping is expected, with the fields %s", v.seen(), names(fields))
		return false
	}
	given := make(map[string]*token.Token)
	for _, e := range entries {
		v.field(e, fields, given)
	}
	for _, f := range fields {
		if f.Required && given[f.Name] == nil {
			v.Problem("the field %q is missing", f.Name)
		}
	}
	return true
}

func (v Value) field(e *ast.MappingValueNode, fields []Field, given map[string]*token.Token) {
	key := e.Key.GetToken()
	name := scalarText(e.Key)
	child := Value{doc: v.doc, node: e.Value, key: key, path: strings.TrimPrefix(v.path+"."+label(name), ".")}
	f, known := find(fields, name)
	switch before := given[name]; {
	case !known:
		v.doc.note(key, child.path, "unknown field; "+suggestion(name, fields))
	case before != nil:
		v.doc.note(key, child.path, fmt.Sprintf("the field is already given in line %d", before.Position.Line))
	default:
		given[name] = key
		f.Read(child)
	}
}

func find(fields []Field, name string) (Field, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// mapping returns the entries of a mapping; the parser gives a mapping of one entry in two forms.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// seen describes a value of the wrong kind.
func (v Value) seen() string {
	switch n := v.node.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias (they are not read here)"
	case *ast.TagNode:
		return "a tag (they are not read here)"
	default:
		return quote(scalarText(n))
	}
}

// Place returns where the value stands, as "file:line:column", for errors that show only later.
func (v Value) Place() string {
	at := v.token()
	if at == nil || at.Position == nil {
		return v.doc.file
	}
	return fmt.Sprintf("%s:%d:%d", v.doc.file, at.Position.Line, at.Position.Column)
}
