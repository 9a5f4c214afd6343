package peer

import (
	"fmt"
	"reflect"
	"slices"
	"text/template/parse"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// A template says only what its author thought of. A policy that differs from the usual one in a field which no template of
// the device mentions would leave the device configured otherwise than the spec believes, and what came of it would be no
// verdict about the device. So such a policy is declared unsupported.

// Ignores returns the declaration by which the device's templates take no notice of a field in which the policy differs from
// the usual one, or "" if they mention every such field.
func (r *Role) Ignores(s, usual Subject) string {
	at, texts := r.texts()
	if texts == nil {
		return ""
	}
	said := mentions(texts)
	if said["Document"] {
		return ""
	}
	d := difference{said: said}
	if s.KS != nil {
		d.compare("KeyServer", reflect.ValueOf(*s.KS), reflect.ValueOf(*usual.KS))
	} else {
		d.compare("Member", reflect.ValueOf(*s.GM), reflect.ValueOf(*usual.GM))
	}
	if d.unsaid == "" {
		return ""
	}
	return r.declares(at, "no template that mentions "+d.unsaid)
}

// Says reports whether the device can be told a field of the policy: its templates mention it, or it is told the policy as a whole.
func (r *Role) Says(field string) bool {
	_, texts := r.texts()
	said := mentions(texts)
	return texts == nil || said["Document"] || said[field]
}

// texts are the templates that the device is configured by, and the place that stands for them; none if it is a core.
func (r *Role) texts() (at string, texts []Text) {
	if p := r.Process(); p != nil {
		texts = append(append(append([]Text{p.Directory}, p.Command...), p.Environment...), p.Ready.File)
		for _, f := range p.Files {
			texts = append(texts, f.Path, f.Content)
		}
		return p.At, texts
	}
	if one := r.Router(); one != nil {
		return one.At, slices.Concat(one.Begin, one.Configuration.Enter, []Text{one.Configuration.Lines}, one.Configuration.Leave)
	}
	return "", nil
}

// ignoresArguments returns the declaration by which none of the lines for a command mentions what its arguments ask for, or "" if
// they do.
func (r *Role) ignoresArguments(command string, texts []Text, args routerArguments) string {
	said := mentions(texts)
	said["Group"] = said["Group"] || said["GroupName"]
	v := reflect.ValueOf(args.RekeyArgs)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !said[name] && !v.Field(i).IsZero() {
			return r.declares(r.Router().At, fmt.Sprintf("no line for %s that mentions %s", command, name))
		}
	}
	return ""
}

// mentions are the names of all fields in templates.
func mentions(texts []Text) map[string]bool {
	said := make(map[string]bool)
	for _, t := range texts {
		if t.template == nil {
			continue
		}
		for _, part := range t.template.Templates() { // and those that it defines
			mention(reflect.ValueOf(part.Root), said)
		}
	}
	said["SigningKey"] = said["SigningKey"] || said["SigningKeyPEM"]
	return said
}

// mention gathers the names of fields below a node. The tree's types have no common way to their children, so it looks into
// everything that is exported.
func mention(v reflect.Value, said map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			mention(v.Elem(), said)
		}
	case reflect.Slice:
		for i := range v.Len() {
			mention(v.Index(i), said)
		}
	case reflect.Struct:
		if v.CanInterface() {
			note(v.Interface(), said)
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				mention(v.Field(i), said)
			}
		}
	}
}

func note(node any, said map[string]bool) {
	var names []string
	switch n := node.(type) {
	case parse.FieldNode:
		names = n.Ident
	case parse.VariableNode:
		names = n.Ident
	case parse.ChainNode:
		names = n.Field
	}
	for _, name := range names {
		said[name] = true
	}
}

// difference looks for a field in which two policies differ and which is not said.
type difference struct {
	said   map[string]bool
	unsaid string // path of the first one
}

var (
	stringer      = reflect.TypeFor[fmt.Stringer]()
	worded        = reflect.TypeFor[interface{ Word() string }]()
	policyPackage = reflect.TypeFor[policy.Member]().PkgPath()
)

// compare goes down to the fields of our own values; what it finds in other types is one value. A value that can be written
// as a text is said as a whole.
func (d *difference) compare(path string, a, b reflect.Value) {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if d.unsaid != "" || reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			continue
		}
		d.field(path+"."+f.Name, f, a.Field(i), b.Field(i))
	}
}

func (d *difference) field(path string, f reflect.StructField, a, b reflect.Value) {
	own := func(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.PkgPath() == policyPackage }
	said := d.said[f.Name]
	switch {
	case said && (f.Type.Implements(stringer) || d.said["Word"] && f.Type.Implements(worded)):
	case said && f.Type.Kind() == reflect.Slice && f.Type.Elem().Implements(stringer):
	case own(f.Type):
		d.compare(path, a, b)
	case said && f.Type.Kind() == reflect.Slice && own(f.Type.Elem()):
		for i := range a.Len() {
			usual := reflect.Zero(f.Type.Elem())
			if b.Len() > 0 {
				usual = b.Index(min(i, b.Len()-1))
			}
			d.compare(fmt.Sprintf("%s[%d]", path, i), a.Index(i), usual)
		}
	case !said:
		d.unsaid = path
	}
}
