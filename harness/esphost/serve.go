package esphost

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Host is the foreign code, for a program that is written in Go.
type Host interface {
	Place(p Place, received func(Datagram)) error
	Install(sas []SA) error
	Send(d Datagram) error
}

// Message is a request, an answer or a notification (JSON-RPC 2.0 §4, §5).
type Message struct {
	Version string          `json:"jsonrpc"`
	ID      uint64          `json:"id,omitempty"` // 0 of a notification
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Failure        `json:"error,omitempty"`
}

// Failure is why a request was not met.
type Failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// The codes of failures (JSON-RPC 2.0 §5.1).
const (
	codeParse    = -32700
	codeMethod   = -32601
	codeParams   = -32602
	codeInternal = -32000
)

// version is that of JSON-RPC.
const version = "2.0"

var errMethod = errors.New("no such method")

// longest is how long a line may be: an SA takes less than a kilobyte.
const longest = 1 << 20

// Parse reads one line. The error says what is wrong with it.
func Parse(line []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(line, &m); err != nil {
		return Message{}, fmt.Errorf("esphost: %w", err)
	}
	if m.Version != version {
		return Message{}, fmt.Errorf("esphost: version %q of JSON-RPC instead of %s", m.Version, version)
	}
	return m, nil
}

// Request makes the line of a request.
func Request(id uint64, method string, params any) ([]byte, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("esphost: %s: %w", method, err)
	}
	return line(Message{Version: version, ID: id, Method: method, Params: raw})
}

func line(m Message) ([]byte, error) {
	text, err := json.Marshal(m)
	return append(text, '\n'), err
}

// Serve answers requests until there are no more. The error is that of the input.
func Serve(in io.Reader, out io.Writer, h Host) error {
	s := &server{host: h, out: out}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		s.answer(lines.Bytes())
	}
	return lines.Err()
}

// server writes answers and notifications, one at a time.
type server struct {
	host Host
	mu   sync.Mutex
	out  io.Writer
}

func (s *server) write(m Message) {
	m.Version = version
	text, err := line(m)
	if err != nil {
		return // nothing of ours is unwritable
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(text)
}

func (s *server) answer(line []byte) {
	m, err := Parse(line)
	if err != nil {
		s.write(Message{Error: &Failure{codeParse, err.Error()}})
		return
	}
	if failure := failureOf(s.do(m)); failure != nil {
		s.write(Message{ID: m.ID, Error: failure})
		return
	}
	s.write(Message{ID: m.ID, Result: json.RawMessage("true")})
}

func (s *server) do(m Message) error {
	switch m.Method {
	case MethodPlace:
		return with(m.Params, func(p Place) error { return s.host.Place(p, s.received) })
	case MethodInstall:
		return with(m.Params, s.host.Install)
	case MethodSend:
		return with(m.Params, s.host.Send)
	}
	return fmt.Errorf("%w: %q", errMethod, m.Method)
}

func (s *server) received(d Datagram) {
	if raw, err := json.Marshal(d); err == nil {
		s.write(Message{Method: MethodReceived, Params: raw})
	}
}

// paramsError is that of parameters which are none of the method's.
type paramsError struct{ error }

// with reads the parameters of a method and calls it.
func with[T any](params json.RawMessage, method func(T) error) error {
	var value T
	if err := json.Unmarshal(params, &value); err != nil {
		return paramsError{err}
	}
	return method(value)
}

func failureOf(err error) *Failure {
	var params paramsError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errMethod):
		return &Failure{codeMethod, err.Error()}
	case errors.As(err, &params):
		return &Failure{codeParams, err.Error()}
	}
	return &Failure{codeInternal, err.Error()}
}
