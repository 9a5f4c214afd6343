package driver

import (
	"errors"
	"fmt"
	"strings"
)

// What is wrong, in the chain of every Error.
var (
	ErrUnsupported = errors.New("unsupported")       // the device cannot do it, by the driver's own word
	ErrNotNow      = errors.New("not now")           // it was asked for at the wrong time
	ErrFailed      = errors.New("failed")            // the device did not do it
	ErrProtocol    = errors.New("not understood")    // what the driver says is no answer of the contract
	ErrDied        = errors.New("the driver ended")  // its program is not there any more
	ErrSilent      = errors.New("no answer in time") // it has not answered
)

// The codes of errors on the wire: those of JSON-RPC 2.0, and three of our own.
const (
	CodeParse       = -32700
	CodeInvalid     = -32600
	CodeNoMethod    = -32601
	CodeParams      = -32602
	CodeInternal    = -32603
	CodeUnsupported = -32001
	CodeNotNow      = -32002
	CodeFailed      = -32003
)

// Error says which driver, in which method, and why. It wraps one of the errors above.
type Error struct {
	Driver, Method string
	Err            error
	Message        string   // what the driver says of it
	Last           []string // what it printed last on standard error, if it has ended or says nothing
}

// Error is one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("driver: %s: %s: %v", e.Driver, e.Method, e.Err)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if len(e.Last) > 0 {
		text += "; it printed last: " + strings.Join(e.Last, "; ")
	}
	return text
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// codeOf is how an error of a driver travels.
func codeOf(err error) int {
	switch {
	case errors.Is(err, ErrUnsupported):
		return CodeUnsupported
	case errors.Is(err, ErrNotNow):
		return CodeNotNow
	case errors.Is(err, ErrFailed):
		return CodeFailed
	}
	return CodeInternal
}

// errorOf is what a code says. An older driver may not know a method that is new: that is no fault of it.
func errorOf(code int) error {
	switch code {
	case CodeUnsupported, CodeNoMethod:
		return ErrUnsupported
	case CodeNotNow:
		return ErrNotNow
	case CodeParse, CodeInvalid, CodeParams:
		return ErrProtocol
	}
	return ErrFailed
}
