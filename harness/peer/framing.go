package peer

import (
	"bytes"
	"strconv"
)

// longestLine bounds a line of a log in a stream. What claims to be longer has no length in front.
const longestLine = 1 << 16

// SplitLog is a bufio.SplitFunc for a log that comes over a stream (RFC 6587 §3.4): each line has its length in front, or a line feed or a
// zero octet behind it. Which of them is seen from each line's beginning, so that a stream may have both.
func SplitLog(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if start, length, counted := counted(data); counted {
		switch {
		case len(data) >= start+length:
			return start + length, bytes.TrimRight(data[start:start+length], "\r\n\x00"), nil
		case atEOF:
			return len(data), data[start:], nil
		}
		return 0, nil, nil
	}
	if end := bytes.IndexAny(data, "\n\x00"); end >= 0 {
		return end + 1, bytes.TrimRight(data[:end], "\r"), nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// counted reads the length in front of a line: digits, a space, and then the line, which begins with its priority or a mark of a device.
func counted(data []byte) (start, length int, ok bool) {
	digits, rest, found := bytes.Cut(data[:min(len(data), 7)], []byte(" "))
	if !found || len(rest) == 0 || rest[0] != '<' {
		return 0, 0, false
	}
	length, err := strconv.Atoi(string(digits))
	if err != nil || digits[0] < '1' || digits[0] > '9' || length > longestLine {
		return 0, 0, false
	}
	return len(digits) + 1, length, true
}
