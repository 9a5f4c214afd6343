package wiretest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// CheckError fails the test unless err is a *wire.Error that names a field and an offset between low and high.
func CheckError(tb testing.TB, err error, low, high int) {
	tb.Helper()
	var e *wire.Error
	if !errors.As(err, &e) {
		tb.Fatalf("error is a %T, not a *wire.Error: %v", err, err)
	}
	if e.Field == "" || e.Err == nil || e.Offset < low || e.Offset > high {
		tb.Fatalf("error %+v (%v) does not say where between octets %d and %d", *e, e, low, high)
	}
}

// CheckChain reads b as a chain that begins at offset base of its message, and fails the test unless the result is a
// good error or encodes to the same octets again. It returns the number of payloads.
func CheckChain(tb testing.TB, d isakmp.Dialect, first isakmp.PayloadType, b []byte, base int) int {
	tb.Helper()
	ps, padding, err := d.Parse(first, b, base)
	if err != nil {
		CheckError(tb, err, base, base+len(b))
		return len(ps)
	}
	again, err := isakmp.AppendPayloads(nil, isakmp.Payloads(ps))
	if err != nil {
		tb.Fatalf("what was decoded cannot be encoded: %v", err)
	}
	if again = append(again, padding...); !bytes.Equal(again, b) {
		tb.Fatalf("encoded again differs:\nin  %x\nout %x", b, again)
	}
	checkFrames(tb, ps, b, base)
	return len(ps)
}

// checkFrames looks at what Decoded says about the place of each payload.
func checkFrames(tb testing.TB, ps []isakmp.Decoded, b []byte, base int) {
	tb.Helper()
	at := base
	for i := range ps {
		if ps[i].Offset != at || !bytes.Equal(ps[i].Raw, b[at-base:at-base+len(ps[i].Raw)]) {
			tb.Fatalf("payload %d is said to be at octet %d, it is at %d", i, ps[i].Offset, at)
		}
		at += len(ps[i].Raw)
	}
}

// CheckMessage is CheckChain for a message with its header, whose payloads are in clear.
func CheckMessage(tb testing.TB, d isakmp.Dialect, b []byte) int {
	tb.Helper()
	h, err := isakmp.ParseHeader(b)
	if err != nil {
		CheckError(tb, err, 0, len(b))
		return 0
	}
	if again := h.Append(nil); !bytes.Equal(again, b[:isakmp.HeaderLen]) {
		tb.Fatalf("header encoded again differs:\nin  %x\nout %x", b[:isakmp.HeaderLen], again)
	}
	return CheckChain(tb, d, h.NextPayload, b[isakmp.HeaderLen:], isakmp.HeaderLen)
}

// CheckTruncations does CheckMessage with the message cut off at every length, and fails the test unless each cut has
// fewer payloads than the whole.
func CheckTruncations(tb testing.TB, d isakmp.Dialect, b []byte) {
	tb.Helper()
	whole := CheckMessage(tb, d, b)
	for n := range len(b) {
		if got := CheckMessage(tb, d, b[:n:n]); got >= whole {
			tb.Fatalf("%d of %d octets still have %d payloads", n, len(b), got)
		}
	}
}
