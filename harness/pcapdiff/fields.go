package pcapdiff

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// scope is where in two messages the comparison is.
type scope struct {
	a, b   *capture.Message
	path   string
	ownerA string // SPI of the SAK, SAT or key packet around it
	ownerB string
}

func (s scope) in(name string) scope {
	if s.path != "" {
		name = s.path + "/" + name
	}
	s.path = name
	return s
}

// fields compares two lists of fields.
func (c *comparison) fields(s scope, as, bs []capture.Field) {
	pairs := c.match(as, bs)
	c.order(s, as, bs, pairs)
	for _, p := range pairs {
		switch {
		case p.b < 0:
			c.loneField(s, &as[p.a], nil)
		case p.a < 0:
			c.loneField(s, nil, &bs[p.b])
		default:
			c.field(s.in(as[p.a].Name), &as[p.a], &bs[p.b])
		}
	}
}

// match pairs fields of the same name: one of its kind wherever it stands, several so that they are most alike.
func (c *comparison) match(as, bs []capture.Field) []pair {
	var pairs []pair
	for _, name := range names(as, bs) {
		ia, ib := places(as, name), places(bs, name)
		cost := func(i, j int) int { return c.unlike(&as[ia[i]], &bs[ib[j]]) }
		alone := func(fs []capture.Field, at []int) func(int) int {
			return func(i int) int { return 1 + len(leaves(nil, &fs[at[i]])) }
		}
		for _, p := range align(len(ia), len(ib), cost, alone(as, ia), alone(bs, ib)) {
			q := pair{-1, -1}
			if p.a >= 0 {
				q.a = ia[p.a]
			}
			if p.b >= 0 {
				q.b = ib[p.b]
			}
			pairs = append(pairs, q)
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return at(x) - at(y) })
	return pairs
}

// at is where a pair stands: in A, or behind all of A.
func at(p pair) int {
	if p.a < 0 {
		return 1<<16 + p.b
	}
	return p.a
}

// names lists the names of the fields once, those of A first.
func names(lists ...[]capture.Field) (all []string) {
	for _, list := range lists {
		for i := range list {
			if !slices.Contains(all, list[i].Name) {
				all = append(all, list[i].Name)
			}
		}
	}
	return all
}

func places(fs []capture.Field, name string) (at []int) {
	for i := range fs {
		if fs[i].Name == name {
			at = append(at, i)
		}
	}
	return at
}

// unlike counts what differs between two fields of one name. Identifiers that are known to stand for others weigh most.
func (c *comparison) unlike(a, b *capture.Field) int {
	if a.Name == "SPI" || child(a, "SPI") != "" {
		x, y := child(a, "SPI"), child(b, "SPI")
		if a.Name == "SPI" {
			x, y = a.Value, b.Value
		}
		if !c.ids.agree(x, y) {
			return apart
		}
	}
	la, lb := leaves(nil, a), leaves(nil, b)
	total := 0
	for _, x := range la {
		if at := slices.Index(lb, x); at >= 0 {
			lb = slices.Delete(lb, at, at+1)
		} else {
			total++
		}
	}
	return max(total, len(lb))
}

// leaves lists the plain values below a field.
func leaves(list []string, f *capture.Field) []string {
	if len(f.Children) == 0 && classOf(f) == plain {
		return append(list, f.Name+"="+f.Value)
	}
	for i := range f.Children {
		list = leaves(list, &f.Children[i])
	}
	return list
}

// order reports when what both have stands in another order.
func (c *comparison) order(s scope, as, bs []capture.Field, pairs []pair) {
	both := slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.a < 0 || p.b < 0 })
	if slices.IsSortedFunc(both, func(x, y pair) int { return x.b - y.b }) {
		return
	}
	var inA, inB []string
	for _, p := range both {
		inA = append(inA, as[p.a].Name)
	}
	slices.SortFunc(both, func(x, y pair) int { return x.b - y.b })
	for _, p := range both {
		inB = append(inB, bs[p.b].Name)
	}
	path := s.path
	if path == "" {
		path = "payloads"
	}
	c.differs(s.a, s.b, Order, path, strings.Join(inA, ", "), strings.Join(inB, ", "))
}

// loneField reports a field that only one message has. The keys of an SA that only one has are no further difference.
func (c *comparison) loneField(s scope, a, b *capture.Field) {
	f := a
	if f == nil {
		f = b
	}
	spi := child(f, "SPI")
	if f.Name == "SAK" || f.Name == "SAT" {
		c.alone[spi] = true
	}
	if classOf(f) == derived || strings.HasPrefix(f.Name, "Key Packet") && c.alone[spi] {
		return
	}
	c.differs(s.a, s.b, Presence, s.in(f.Name).path, present(a), present(b))
}

// present is a field as a difference tells it.
func present(f *capture.Field) string {
	switch {
	case f == nil:
		return ""
	case f.Secret || classOf(f) == random:
		return octets(f)
	case f.Value != "":
		return f.Short()
	}
	return strings.Join(leaves(nil, f), ", ")
}

// octets is how long a field's value is; with one that is left out, how long the field is with its head.
func octets(f *capture.Field) string {
	n := f.Length
	if value, err := hex.DecodeString(f.Value); err == nil && len(value) > 0 {
		n = len(value)
	}
	return strconv.Itoa(n) + " octets"
}

// field compares two fields of the same name. The value of one that has parts says nothing that they do not say.
func (c *comparison) field(s scope, a, b *capture.Field) {
	if len(a.Children) > 0 || len(b.Children) > 0 {
		if spi := child(a, "SPI"); spi != "" {
			s.ownerA, s.ownerB = spi, child(b, "SPI")
		}
		c.fields(s, a.Children, b.Children)
		return
	}
	switch classOf(a) {
	case derived:
	case random:
		if a.Length != b.Length && c.sameAlgorithms(s, a) {
			c.differs(s.a, s.b, Length, s.path, octets(a), octets(b))
		}
	case identifier:
		c.named(s.a, s.b, s.path, a.Value, b.Value)
	case lifetime:
		c.lifetime(s, a, b)
	case date:
		if x, y := moment(s.a, a.Value), moment(s.b, b.Value); x.known != y.known || (x.ahead-y.ahead).Abs() > rounding {
			c.differs(s.a, s.b, Value, s.path, a.Value, b.Value)
		}
	default:
		if va, vb := canonical(a.Value, c.namesA), canonical(b.Value, c.namesB); va != vb {
			c.differs(s.a, s.b, Value, s.path, a.Value, b.Value)
		}
	}
}

// sameAlgorithms reports whether both captures use the same algorithms for what a field belongs to: then it has to have the
// same length.
func (c *comparison) sameAlgorithms(s scope, f *capture.Field) bool {
	ownerA, ownerB := s.ownerA, s.ownerB
	if ownerA == "" {
		ownerA, ownerB = cookies(s.a), cookies(s.b)
	}
	return c.a.policies[ownerA] == c.b.policies[ownerB]
}

// rounding is how far the rest of a lifetime may be off: it is told in whole seconds, at a moment within a second.
const rounding = 2 * time.Second

// lifetime compares when something ends. What is told of keys that were made before, in a registration or by a PUSH that tells
// an SA in force once more, is the rest of a life, and is given a second or two; what a PUSH brings begins to live with it.
func (c *comparison) lifetime(s scope, a, b *capture.Field) {
	if a.Value == b.Value {
		return
	}
	left, okA := seconds(a.Value)
	other, okB := seconds(b.Value)
	if okA && okB && s.ownerA != "" && rest(c.a, s.a, s.ownerA) && rest(c.b, s.b, s.ownerB) {
		end := left + s.a.At.Sub(c.a.born[s.ownerA])
		otherEnd := other + s.b.At.Sub(c.b.born[s.ownerB])
		if (end - otherEnd).Abs() <= rounding {
			return
		}
	}
	c.differs(s.a, s.b, Value, s.path, a.Value, b.Value)
}

// rest reports whether what a message tells of an SA's life is but the rest of it. A registration may tell of keys that were
// made before the capture began.
func rest(c *conversation, m *capture.Message, spi string) bool {
	return strings.HasPrefix(m.Kind, "PULL") || c.born[spi].Before(m.At)
}

// when is a date as one message tells it: how far ahead of the message it is, or 0 if it is past.
type when struct {
	known bool
	ahead time.Duration
}

// moment reads seconds since 1970, which stand behind their meaning in parentheses; 0 is no date.
func moment(m *capture.Message, text string) when {
	digits := strings.TrimSuffix(text[strings.LastIndex(text, "(")+1:], ")")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == 0 {
		return when{}
	}
	return when{true, max(0, time.Unix(n, 0).Sub(m.At))}
}

func seconds(text string) (time.Duration, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Second, err == nil && n < 1<<33
}

// canonical replaces the addresses of matched nodes by their names, as text and in hexadecimal.
func canonical(value string, names map[netip.Addr]string) string {
	words := strings.Split(value, " ")
	for i, w := range words {
		a, err := netip.ParseAddr(w)
		if raw, bad := hex.DecodeString(w); err != nil && bad == nil {
			a, _ = netip.AddrFromSlice(raw)
		}
		if name, ok := names[a]; ok {
			words[i] = name
		}
	}
	return strings.Join(words, " ")
}
