package driver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// longestLine bounds one message. What claims to be longer is passed over up to its end.
const longestLine = 16 << 20

// shown is how much of a line that is not understood is kept.
const shown = 200

// lineReader reads lines, whatever comes.
type lineReader struct{ in *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReaderSize(r, 1<<16)} }

// errLong means that a line was longer than longestLine. The line returned with it is its beginning.
var errLong = errors.New("the line is too long")

// errPartial means that a line had no end when everything ended.
var errPartial = errors.New("the line has no end")

// next returns the next line that has something in it, without its end. After io.EOF nothing comes any more.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.one()
		if line = bytes.TrimSpace(line); len(line) > 0 || err != nil {
			return line, err
		}
	}
}

func (l *lineReader) one() (line []byte, err error) {
	long := false
	for {
		part, err := l.in.ReadSlice('\n')
		if !long && len(line)+len(part) > longestLine {
			long, line = true, line[:min(len(line), shown)]
		}
		if !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && len(line) > 0:
			return line, errPartial
		case err != nil:
			return nil, io.EOF // or that of a file that was closed: nothing comes any more
		case long:
			return line, errLong
		default:
			return line, nil
		}
	}
}

// beginning is as much of a line as is worth keeping.
func beginning(line []byte) string {
	if len(line) <= shown {
		return string(bytes.ToValidUTF8(line, []byte("?")))
	}
	return string(bytes.ToValidUTF8(line[:shown], []byte("?"))) + "…"
}
