package architecture

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guarded are the packages whose checks have to be guards.
var guarded = []string{"reference/ike", "reference/gdoimap", "reference/group", "reference/keyserver", "reference/member",
	"reference/sadb", "reference/esp", "reference/gateway"}

// function is one of a guarded package, by a name that tells it from others: "ike.(Exchange).Handle".
type function struct {
	name string
	decl *ast.FuncDecl
	file file
}

// TestRefusalsAreGuards looks for refusals that no guard makes in all that a core may do with an event: an error that is made on the
// spot, and an error that comes to nothing. Each has to be a guard with a requirement, so that log, counter and verdict agree, or stand
// in bare with the reason.
func TestRefusalsAreGuards(t *testing.T) {
	found := make(map[string]bool)
	fails := failing(t)
	for _, f := range reached(functions(t)) {
		for _, r := range refusalsIn(f, fails) {
			if found[f.name] = true; bare[f.name] == "" {
				t.Errorf("%s: %s %s, and no guard says for which requirement", f.file.fset.Position(r.at), f.name, r.what)
			}
		}
	}
	for name := range bare {
		if !found[name] {
			t.Errorf("%s is an exception that nobody needs any more", name)
		}
	}
}

// functions are those of the guarded packages.
func functions(t *testing.T) (all []function) {
	t.Helper()
	for _, f := range sources(t) {
		if !slices.Contains(guarded, f.dir) {
			continue
		}
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
				all = append(all, function{nameOf(f, d), d, f})
			}
		}
	}
	return all
}

// failing says of the reference's functions, by package and name and by name alone, whether the last result of any is an error.
func failing(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && under(f.dir, "reference") && d.Type.Results != nil {
				last := d.Type.Results.List[len(d.Type.Results.List)-1].Type
				id, ok := last.(*ast.Ident)
				for _, name := range []string{d.Name.Name, f.dir + "." + d.Name.Name} {
					names[name] = names[name] || ok && id.Name == "error"
				}
			}
		}
	}
	return names
}

// mayFail reports whether a called function returns an error. One of the own package hides its namesakes elsewhere.
func mayFail(f function, call *ast.CallExpr, fails map[string]bool) bool {
	name := lastPart(called(call))
	if own, here := fails[f.file.dir+"."+name]; here {
		return own
	}
	return fails[name]
}

func lastPart(name string) string { return name[strings.LastIndex(name, ".")+1:] }

func nameOf(f file, d *ast.FuncDecl) string {
	name := path.Base(f.dir) + "."
	if d.Recv != nil {
		of := d.Recv.List[0].Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		if generic, ok := of.(*ast.IndexExpr); ok {
			of = generic.X
		}
		name += "(" + of.(*ast.Ident).Name + ")."
	}
	return name + d.Name.Name
}

// reached are the functions that the Handle methods of the cores may come to. Without types a method is any of its name, so that there
// may be too many.
func reached(all []function) (hit []function) {
	index := make(map[string][]function)
	for _, f := range all {
		scope := f.file.dir
		if f.decl.Recv != nil {
			scope = ""
		}
		index[scope+"."+f.decl.Name.Name] = append(index[scope+"."+f.decl.Name.Name], f)
	}
	seen := map[string]bool{}
	next := slices.Clone(index[".Handle"])
	for len(next) > 0 {
		f := next[0]
		next = next[1:]
		if seen[f.name] {
			continue
		}
		seen[f.name], hit = true, append(hit, f)
		selected := make(map[*ast.Ident]bool)
		ast.Inspect(f.decl.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				selected[n.Sel] = true
				next = append(next, index["."+n.Sel.Name]...)
				if of, ok := n.X.(*ast.Ident); ok {
					next = append(next, index["reference/"+of.Name+"."+n.Sel.Name]...)
				}
			case *ast.Ident:
				if !selected[n] {
					next = append(next, index[f.file.dir+"."+n.Name]...)
				}
			}
			return true
		})
	}
	return hit
}

type refusalAt struct {
	what string
	at   token.Pos
}

var sentinel = regexp.MustCompile(`^(err|Err)[A-Z]`)

// refusalsIn are the places of a function where a refusal has no guard.
func refusalsIn(f function, fails map[string]bool) (all []refusalAt) {
	add := func(n ast.Node, what string) { all = append(all, refusalAt{what, n.Pos()}) }
	ast.Inspect(f.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch called(n) {
			case "errors.Is", "errors.As":
				return false
			case "errors.New", "fmt.Errorf":
				if passes(n) {
					return false
				}
				add(n, "makes an error of its own")
				return false
			}
		case *ast.Ident:
			if sentinel.MatchString(n.Name) {
				add(n, "makes "+n.Name)
			}
		case *ast.IfStmt:
			if !mentions(n.Cond, "Holds") && !mentions(n.Body, "refuseGuard") && !refuses(f.decl.Body) && silent(f.decl.Body, n) {
				add(n, "lets an error come to nothing")
			}
		case *ast.AssignStmt:
			if last, ok := n.Lhs[len(n.Lhs)-1].(*ast.Ident); ok && last.Name == "_" && len(n.Rhs) == 1 {
				if call, ok := n.Rhs[0].(*ast.CallExpr); ok && mayFail(f, call, fails) {
					add(n, "leaves aside the error of "+called(call))
				}
			}
		}
		return true
	})
	return all
}

// called is the name of a called function, with the package or value before it.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}

// passes reports whether an error that is made passes another on, or that of a guard.
func passes(c *ast.CallExpr) bool {
	return slices.ContainsFunc(c.Args, func(a ast.Expr) bool { return mentions(a, "err") || mentions(a, "Violated") })
}

// silent reports whether an if that asks for err does nothing with it, nor what comes after.
func silent(body ast.Node, n *ast.IfStmt) bool {
	compared := comparesErr(n.Cond)
	return compared == token.NEQ && !mentions(n.Body, "err") || compared == token.EQL && n.Else == nil && !mentionedAfter(body, n.End())
}

// refuses reports whether err is counted and logged somewhere in a body.
func refuses(body ast.Node) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		found = found || ok && lastPart(called(call)) == "refuse" && passes(call)
		return !found
	})
	return found
}

// mentionedAfter reports whether err occurs in a body behind that place.
func mentionedAfter(body ast.Node, place token.Pos) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == "err" && id.Pos() > place
		return !found
	})
	return found
}

func mentions(n ast.Node, name string) (found bool) {
	if n == nil {
		return false
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// comparesErr is != or == if a condition compares err with nil.
func comparesErr(cond ast.Expr) (op token.Token) {
	ast.Inspect(cond, func(n ast.Node) bool {
		if b, ok := n.(*ast.BinaryExpr); ok && (b.Op == token.NEQ || b.Op == token.EQL) && mentions(b.X, "err") && mentions(b.Y, "nil") {
			op = b.Op
		}
		return true
	})
	return op
}

// bare are the functions in which a refusal has no guard, with the reason: configuration, commands and mutants, what a guard elsewhere
// judges, and what no requirement is about.
var bare = map[string]string{
	"group.Validate":                       "configuration, which is refused before anything is sent or received",
	"group.validateFlow":                   "configuration, which is refused before anything is sent or received",
	"group.validateKEK":                    "configuration, which is refused before anything is sent or received",
	"group.validateLifetime":               "configuration, which is refused before anything is sent or received",
	"group.validateManagement":             "configuration, which is refused before anything is sent or received",
	"group.validateSA":                     "configuration, which is refused before anything is sent or received",
	"keyserver.New":                        "configuration, which is refused before anything is sent or received",
	"group.validateRekey":                  "configuration, which is refused before anything is sent or received",
	"keyserver.(KeyServer).loadSigningKey": "configuration, which is refused before anything is sent or received",
	"keyserver.(KeyServer).validateGroups": "configuration, which is refused before anything is sent or received",
	"member.(Member).join":                 "configuration, which is refused before anything is sent or received",
	"member.complete":                      "configuration, which is refused before anything is sent or received",

	"group.(Group).Exclude":            "the answer to an operator's command",
	"group.(Group).named":              "the answer to an operator's command",
	"group.(Group).orderOf":            "the answer to an operator's command",
	"group.(Group).possible":           "the answer to an operator's command",
	"keyserver.(KeyServer).commanded":  "the answer to an operator's command",
	"keyserver.(KeyServer).onCommand":  "the answer to an operator's command",
	"member.(Member).commanded":        "the answer to an operator's command",
	"group.(Group).ReceiveOnly":        "the answer to an operator's command",
	"group.(Group).Configure":          "the answer to an operator's command",
	"group.(Group).changeable":         "the answer to an operator's command",
	"keyserver.(KeyServer).changeable": "the answer to an operator's command",
	"member.(Member).configure":        "the answer to an operator's command",
	"keyserver.(KeyServer).configure":  "the answer to an operator's command",
	"keyserver.(KeyServer).takeOver":   "the answer to an operator's command, which was refused before if the certificates are none",
	"member.(Member).direction":        "the answer to an operator's command",

	"gdoimap.(chain).takeDeny":     "with the guard off what cannot be read is left out",
	"gdoimap.denySAT":              "identities of prefixes are never too long",
	"keyserver.(KeyServer).signer": "a Rekey SA whose public key was made elsewhere is signed with the present key",

	"gateway.(packet).parse4":      "no requirement of the catalogue is about IP packets that are none; the gateway counts them as dropped",
	"gateway.(packet).parse6":      "no requirement of the catalogue is about IP packets that are none; the gateway counts them as dropped",
	"gateway.(packet).readHeader6": "no requirement of the catalogue is about IP packets that are none; the gateway counts them as dropped",
	"gateway.(packet).skip":        "no requirement of the catalogue is about IP packets that are none; the gateway counts them as dropped",

	"gateway.(datagram).add":    "fragments that make no packet: gateway.esp.whole refuses those of ESP, the others are dropped and counted like packets that are none",
	"gateway.(datagram).fits":   "fragments that make no packet: gateway.esp.whole refuses those of ESP, the others are dropped and counted like packets that are none",
	"gateway.(reassembler).add": "fragments that make no packet: gateway.esp.whole refuses those of ESP, the others are dropped and counted like packets that are none",

	"gateway.(Gateway).seal": "a packet too long for IP once it is protected, which no MTU lets a host send",
	"gateway.fragment4":      "a packet too long for IP once it is protected, which no MTU lets a host send",
	"gateway.fragment6":      "a packet too long for IP once it is protected, which no MTU lets a host send",

	"esp.(counter).next":                   "an SA of a counter mode is used only by members that have a SID",
	"esp.(counter).setSID":                 "the guards of gdoimap let only SIDs of the right length through",
	"esp.(gcm).open":                       "the guard behind it judges the tag",
	"esp.NewAH":                            "an SA that the guards of gdoimap let through has keys of its transform's lengths",
	"esp.newCounters":                      "member.policy.window refuses such an SA before it is made",
	"esp.newSuite":                         "an SA that the guards of gdoimap let through has keys of its transform's lengths",
	"gateway.(Gateway).Handle":             "the error is returned",
	"gateway.(Gateway).address":            "the gateway's own configuration has no peer or address, of which the sender's requirements say nothing",
	"gateway.(Group).Install":              "an SA that cannot be used is left out, and the joined errors say why",
	"gdoimap.ReadGroupOID":                 "ok says it, and the guards of the callers judge it",
	"gdoimap.lkhArray":                     "keys that were made here always fit",
	"gdoimap.oidOf":                        "the name was read with the configuration",
	"gdoimap.readOID":                      "ok says it, and the guards of the callers judge it",
	"group.(Group).Admit":                  "the registration fails, which is logged and notified",
	"group.(Group).constant":               "the source of randomness is broken, which stops the key server",
	"group.(keyTree).vacancy":              "the tree is full, and the key server says so to its operator",
	"ike.(Config).identityData":            "an identity that the configuration was read with",
	"ike.(Config).notify":                  "without an SPI it cannot fail",
	"ike.(Config).notifyInClear":           "only a tap makes a message that cannot be encoded",
	"ike.(Exchange).HandleAt":              "nobody hands messages to an exchange that is over",
	"ike.(Exchange).Timeout":               "an exchange that is given up, which is logged as such",
	"ike.(Exchange).agree":                 "only with the guard before it off",
	"ike.(Exchange).responderLifetime":     "attributes of four octets always fit",
	"ike.(SA).goodbye":                     "only a tap makes a message that cannot be encoded",
	"ike.(SA).tell":                        "only a tap makes a message that cannot be encoded",
	"ike.(offer).asSent":                   "only a tap makes an offer that cannot be read back",
	"ike.Initiate":                         "only a tap makes a message that cannot be encoded",
	"ike.sentBody":                         "only a tap makes a message that cannot be read back",
	"keyserver.(KeyServer).onPull1":        "a mutant that admits too early; admission proper is in message 3",
	"keyserver.(KeyServer).onSessionTimer": "the log says that Phase 1 was not completed",
	"member.(membership).groupID":          "a group identity that the configuration was read with",
	"member.(membership).hash1":            "only a tap makes a message that cannot be encoded",
	"member.(membership).newRekeySA":       "gdoimap.read.kek.signature has judged the key",
	"member.(membership).onProven":         "only a tap makes a message that cannot be encoded",
	"member.(membership).pullTimeout":      "a message that was made here has a header",
	"member.(membership).readOffer":        "member.policy.authorised has refused each SA before",
	"member.(membership).sendPhase1Delete": "only a tap makes a message that cannot be encoded",
	"gateway.(Gateway).splitUDP":           "a datagram that holds nothing that is known is no ESP, and goes the way of other traffic",
	"group.(Group).Readmit":                "the answer to an operator's command",
	"group.(Group).enforce":                "the registration fails, which is logged and notified",
	"ike.(Exchange).announce":              "only a tap makes a message that cannot be encoded",
	"keyserver.identityOf":                 "the answer to an operator's command",
	"member.(membership).sendConflict":     "only a tap makes a message that cannot be encoded",
}
