package yamldoc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxSize is the size in octets of the largest file that is read.
const MaxSize = 1 << 20

type document struct {
	file     string
	problems Problems
}

// Read parses the content of a file, which must be one document, and lets the caller walk it. It returns Problems if the
// parser or the caller found any.
func Read(file string, data []byte, walk func(root Value)) error {
	d := &document{file: file}
	if body := d.parse(data); body != nil {
		walk(Value{doc: d, node: body})
	}
	if len(d.problems) == 0 {
		return nil
	}
	d.problems.sort()
	return d.problems
}

// parse returns the top node of the only document, or nil after noting why there is none.
func (d *document) parse(data []byte) ast.Node {
	if len(data) > MaxSize {
		d.note(nil, "", fmt.Sprintf("is larger than %d octets", MaxSize))
		return nil
	}
	f, err := syntaxTree(data)
	if err != nil {
		d.syntax(err)
		return nil
	}
	docs := f.Docs
	if len(docs) == 0 || docs[0].Body == nil {
		d.note(nil, "", "is empty")
		return nil
	}
	if len(docs) > 1 {
		d.note(docs[1].Start, "", "a second document begins here; a file holds only one")
		return nil
	}
	return docs[0].Body
}

// syntaxTree parses a file. The parser panics on some malformed documents; that is one more way of saying that they are.
func syntaxTree(data []byte) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

// syntax notes an error of the parser.
func (d *document) syntax(err error) {
	var e yaml.Error
	if errors.As(err, &e) {
		d.note(e.GetToken(), "", "not YAML: "+firstLine(e.GetMessage()))
		return
	}
	d.note(nil, "", "not YAML: "+firstLine(err.Error()))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (d *document) note(at *token.Token, path, text string) {
	p := Problem{File: d.file, Path: path, Text: text}
	if at != nil && at.Position != nil {
		p.Line, p.Column = at.Position.Line, at.Position.Column
	}
	d.problems = append(d.problems, p)
}
