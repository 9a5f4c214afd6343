package wire

import (
	"errors"
	"fmt"
)

// What can be wrong with the structure of an input, or with a value that does not fit into its field.
var (
	// ErrShort: the input ends inside a field, or before a field that has to follow.
	ErrShort = errors.New("input ends too early")
	// ErrTrailing: octets are left behind the last field.
	ErrTrailing = errors.New("octets left over")
	// ErrLength: a length that its field cannot have, or that reaches past what it lies in.
	ErrLength = errors.New("impossible length")
	// ErrChain: a chain of nested payloads names one that has no layout there.
	ErrChain = errors.New("payload cannot follow here")
)

// Error says where and in which field an input could not be read. Offset counts octets from the start of the message.
// When writing, Offset is where in the output the field would have begun.
type Error struct {
	Offset int
	Field  string
	Err    error
}

// Error returns the field, its offset and what is wrong.
func (e *Error) Error() string { return fmt.Sprintf("%s at octet %d: %v", e.Field, e.Offset, e.Err) }

// Unwrap returns the sentinel.
func (e *Error) Unwrap() error { return e.Err }
