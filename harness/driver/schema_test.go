package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
)

// validate holds a value against a definition of the schema.
func validate(t *testing.T, definition string, raw []byte) {
	t.Helper()
	s, err := schema.Compile(schema.Driver + definition)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", definition, err, raw)
	}
}

// overheard keeps what is written, and closes what it is written to.
type overheard struct {
	io.WriteCloser
	said bytes.Buffer
}

func (o *overheard) Write(b []byte) (int, error) {
	o.said.Write(b)
	return o.WriteCloser.Write(b)
}

// What crosses between harness and driver is what the schema says, of every method.
func TestSchema(t *testing.T) {
	requestsIn, requestsOut := io.Pipe()
	answersIn, answersOut := io.Pipe()
	requests, answers := &overheard{WriteCloser: requestsOut}, &overheard{WriteCloser: answersOut}
	served := make(chan error, 1)
	go func() { served <- Serve(context.Background(), new(echo), requestsIn, answers) }()
	c := NewClient("it", answersIn, requests, 0)
	every(t.Context(), c)
	_ = c.Hangup()
	if err := <-served; err != nil {
		t.Error(err)
	}
	_ = answersOut.Close()
	<-c.ended
	seen := make(map[string]bool)
	methodOf := make(map[string]string)
	for line := range bytes.Lines(requests.said.Bytes()) {
		var q request
		if err := json.Unmarshal(line, &q); err != nil {
			t.Fatal(err)
		}
		validate(t, "", line)
		if q.Method == MethodApply {
			continue // the echo's policy is none
		}
		validate(t, "#/$defs/"+q.Method+".params", q.Params)
		methodOf[string(q.ID)] = q.Method
	}
	for line := range bytes.Lines(answers.said.Bytes()) {
		var r response
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		validate(t, "", line)
		if method := methodOf[string(r.ID)]; r.Result != nil && method != "" {
			validate(t, "#/$defs/"+method+".result", r.Result)
			seen[method] = true
		}
	}
	if len(seen) < 9 {
		t.Errorf("only results of %v were seen", seen)
	}
}
