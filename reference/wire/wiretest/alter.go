package wiretest

import "slices"

// Step is what a fuzzer wants done with a message of a valid conversation: which one, how it is altered, where, and to what.
type Step struct{ Which, How, Where, Value byte }

// Steps reads the octets of a fuzzer as steps, at most so many; what is left over counts for nothing.
func Steps(script []byte, most int) []Step {
	var steps []Step
	for len(script) >= 4 && len(steps) < most {
		steps = append(steps, Step{script[0], script[1], script[2], script[3]})
		script = script[4:]
	}
	return steps
}

// Choose returns one of the messages; nil if there is none.
func (s Step) Choose(messages [][]byte) []byte {
	if len(messages) == 0 {
		return nil
	}
	return messages[int(s.Which)%len(messages)]
}

// The places of fields in an ISAKMP header (RFC 2408 §3.1).
const (
	atCookies  = 0
	atNext     = 16
	atExchange = 18
	atFlags    = 19
	atID       = 20
	atLength   = 24
	headerLen  = 28
)

// Alter makes a message as the step says: as it was, with an octet changed anywhere or in its header, shorter, longer, with a part
// of it twice, or with any of these and a Length that fits. It never writes to the message.
func (s Step) Alter(message []byte) []byte {
	b := slices.Clone(message)
	at := int(s.Where) * len(b) / 256
	switch s.How % 12 {
	case 1:
		change(b, at, s.Value)
	case 2:
		change(b, headerLen+int(s.Where), s.Value)
	case 3:
		b = b[:at]
	case 4:
		b = append(b, slices.Repeat([]byte{s.Value}, int(s.Where))...)
	case 5:
		b = slices.Insert(b, at, b[at:min(len(b), at+int(s.Value))]...)
	case 6:
		change(b, atCookies+int(s.Where)%16, s.Value)
	case 7:
		change(b, atNext, s.Value)
	case 8:
		change(b, atExchange, s.Value)
	case 9:
		change(b, atFlags, s.Value)
	case 10:
		change(b, atID+int(s.Where)%4, s.Value)
	case 11:
		change(b, len(b)-1-int(s.Where)%64, s.Value)
	}
	if s.How >= 128 && len(b) >= headerLen {
		b[atLength], b[atLength+1], b[atLength+2], b[atLength+3] = 0, byte(len(b)>>16), byte(len(b)>>8), byte(len(b))
	}
	return b
}

// change alters an octet, if there is one at that place.
func change(b []byte, at int, value byte) {
	if at >= 0 && at < len(b) {
		b[at] ^= value
	}
}

// SameBody reports whether two messages differ in their headers at most.
func SameBody(a, b []byte) bool {
	return len(a) >= headerLen && len(b) >= headerLen && slices.Equal(a[headerLen:], b[headerLen:])
}
