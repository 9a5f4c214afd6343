package yamldoc

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Text returns a string. A number, a boolean or null is a problem, since it may have been meant as one.
func (v Value) Text() (string, bool) {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		v.Problem("%s is not text for YAML; put it in quotes", scalarText(n))
	default:
		v.Problem("%s where text is expected", v.seen())
	}
	return "", false
}

// TextLine returns the line in which the text begins: behind the | or > of a block, the line of the value otherwise.
func (v Value) TextLine() int {
	at := v.token()
	if at == nil || at.Position == nil {
		return 0
	}
	if _, block := v.node.(*ast.LiteralNode); block {
		return at.Position.Line + 1
	}
	return at.Position.Line
}

// Bool returns true or false.
func (v Value) Bool() bool {
	n, ok := v.node.(*ast.BoolNode)
	if !ok {
		v.Problem("%s where true or false is expected", v.seen())
		return false
	}
	return n.Value
}

// Uint returns a whole number between two bounds, both included.
func (v Value) Uint(least, most uint64) uint64 {
	n, ok := v.node.(*ast.IntegerNode)
	if !ok {
		v.Problem("%s where a whole number is expected", v.seen())
		return 0
	}
	i, negative := n.Value.(int64)
	u, _ := n.Value.(uint64)
	if negative {
		u = uint64(max(i, 0))
	}
	if i < 0 || u < least || u > most {
		v.Problem("%s is out of range; it must be from %d to %d", scalarText(n), least, most)
		return 0
	}
	return u
}

// Duration returns a time such as 3600s, 1h or 500ms between two bounds, both included.
func (v Value) Duration(least, most time.Duration) time.Duration {
	if n, ok := v.node.(*ast.IntegerNode); ok {
		v.Problem("%[1]s has no unit; for seconds write %[1]ss", scalarText(n))
		return 0
	}
	text, ok := v.Text()
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		v.Problem("%s is no duration; write one such as 90s, 15m or 24h", quote(text))
		return 0
	}
	if d < least || d > most {
		v.Problem("%s is out of range; it must be from %s to %s", text, Duration(least), Duration(most))
		return 0
	}
	return d
}

// Seconds is a Duration of whole seconds, for fields of messages that count them.
func (v Value) Seconds(least, most uint64) time.Duration {
	most = min(most, math.MaxInt64/uint64(time.Second))
	d := v.Duration(time.Duration(least)*time.Second, time.Duration(most)*time.Second)
	if d%time.Second != 0 {
		v.Problem("%s is not a whole number of seconds", d)
		return 0
	}
	return d
}

// Duration writes a duration as a person would: whole seconds as "3600s".
func Duration(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return d.String()
}

// Names are the words that a field may have and what they stand for, in the order in which problems list them.
type Names[T comparable] []struct {
	Name  string
	Value T
}

// Read returns what the word stands for; it notes the known words if there is no such.
func (n Names[T]) Read(v Value) T {
	var none T
	text, ok := v.Text()
	if !ok {
		return none
	}
	value, err := n.Named(text)
	if err != nil {
		v.Problem("%v", err)
	}
	return value
}

// Named returns the value for a word, or an error that lists those there are.
func (n Names[T]) Named(word string) (T, error) {
	words := make([]string, len(n))
	for i, known := range n {
		if known.Name == word {
			return known.Value, nil
		}
		words[i] = known.Name
	}
	var none T
	return none, fmt.Errorf("%s is unknown; known are %s", quote(word), list(words))
}

// Of returns the word for a value, the reverse of Read.
func (n Names[T]) Of(value T) (string, bool) {
	for _, known := range n {
		if known.Value == value {
			return known.Name, true
		}
	}
	return "", false
}

// IsNumber reports whether the value is a whole number.
func (v Value) IsNumber() bool {
	_, ok := v.node.(*ast.IntegerNode)
	return ok
}

// IsText reports whether the value is a string for YAML.
func (v Value) IsText() bool {
	switch v.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return true
	}
	return false
}

// scalarText returns the text of a scalar as it stands in the file, without its quotes.
func scalarText(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	if at := n.GetToken(); at != nil {
		return at.Value
	}
	return ""
}
