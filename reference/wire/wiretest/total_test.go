package wiretest

import (
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// recorder is a testing.TB that notes whether a check failed.
type recorder struct {
	testing.TB
	failed bool
}

type stop struct{}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(string, ...any) {
	r.failed = true
	panic(stop{})
}

// fails reports whether the check fails its test.
func fails(t *testing.T, check func(testing.TB)) bool {
	t.Helper()
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != (stop{}) {
				panic(p)
			}
		}()
		check(r)
	}()
	return r.failed
}

func TestCheckError(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"good", &wire.Error{Offset: 30, Field: "x", Err: wire.ErrShort}, false},
		{"none", nil, true},
		{"another type", errors.New("x"), true},
		{"no field", &wire.Error{Offset: 30, Err: wire.ErrShort}, true},
		{"no cause", &wire.Error{Offset: 30, Field: "x"}, true},
		{"before the input", &wire.Error{Offset: 27, Field: "x", Err: wire.ErrShort}, true},
		{"behind the input", &wire.Error{Offset: 33, Field: "x", Err: wire.ErrShort}, true},
	}
	for _, tt := range tests {
		if got := fails(t, func(tb testing.TB) { CheckError(tb, tt.err, 28, 32) }); got != tt.want {
			t.Errorf("%s: fails %v, want %v", tt.name, got, tt.want)
		}
	}
}

// forgetful decodes a nonce and loses its last octet.
var forgetful = isakmp.Dialect{isakmp.PayloadNonce: func(body []byte, _ int) (isakmp.Payload, error) {
	return isakmp.Nonce{Data: body[:max(0, len(body)-1)]}, nil
}}

// vague decodes nothing and does not say where it failed.
var vague = isakmp.Dialect{isakmp.PayloadNonce: func([]byte, int) (isakmp.Payload, error) { return nil, wire.ErrShort }}

func TestCheckChain(t *testing.T) {
	nonce := []byte{0, 0, 0, 6, 1, 2}
	for name, tt := range map[string]struct {
		dialect isakmp.Dialect
		want    bool
	}{"good": {isakmp.Phase1, false}, "forgetful": {forgetful, true}, "vague": {vague, true}} {
		if got := fails(t, func(tb testing.TB) { CheckChain(tb, tt.dialect, isakmp.PayloadNonce, nonce, 28) }); got != tt.want {
			t.Errorf("%s: fails %v, want %v", name, got, tt.want)
		}
	}
}

func TestCheckTruncations(t *testing.T) {
	golden := Vector(t, "isakmp/main-1")
	if fails(t, func(tb testing.TB) { CheckTruncations(tb, isakmp.Phase1, golden) }) {
		t.Error("a good message fails")
	}
	padded := append(golden[:len(golden):len(golden)], 0)
	if !fails(t, func(tb testing.TB) { CheckTruncations(tb, isakmp.Phase1, padded) }) {
		t.Error("a message passes that loses nothing when its last octet is cut off")
	}
}
