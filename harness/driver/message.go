package driver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// rpcVersion is that of JSON-RPC.
const rpcVersion = "2.0"

// methodCancel is a notification: the request with that id need not be answered in earnest any more.
const methodCancel = "cancel"

// request is a request, or a notification if it has no id.
type request struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// response is an answer. Exactly one of Result and Error is set.
type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method,omitempty"` // of what is no response
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *wireError      `json:"error,omitempty"`
}

// wireError is an error as it travels.
type wireError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// cancelParams names what is not waited for any more.
type cancelParams struct {
	ID json.RawMessage `json:"id"`
}

var null = json.RawMessage("null")

// parseRequest reads a request. The error is what the answer to it has to say.
func parseRequest(line []byte) (request, *wireError) {
	var q request
	if !json.Valid(line) {
		return q, &wireError{CodeParse, "no JSON: " + beginning(line)}
	}
	if err := json.Unmarshal(line, &q); err != nil {
		return q, &wireError{CodeInvalid, fmt.Sprintf("no request: %v", err)}
	}
	switch {
	case q.Version != rpcVersion:
		return q, &wireError{CodeInvalid, fmt.Sprintf("jsonrpc is %q, not %q", q.Version, rpcVersion)}
	case q.Method == "":
		return q, &wireError{CodeInvalid, "no method is named"}
	case q.ID != nil && !plainID(q.ID):
		q.ID = nil
		return q, &wireError{CodeInvalid, "an id is a number or a text"}
	}
	return q, nil
}

// plainID reports whether an id may be repeated in an answer: a number, a text or null.
func plainID(id json.RawMessage) bool {
	return bytes.Equal(id, null) || len(id) > 0 && (id[0] == '"' || id[0] == '-' || id[0] >= '0' && id[0] <= '9')
}

// parseResponse reads an answer, and whom it is for. An error says why it is none.
func parseResponse(line []byte) (response, uint64, error) {
	var r response
	var id uint64
	if err := json.Unmarshal(line, &r); err != nil {
		return r, 0, fmt.Errorf("no JSON-RPC: %w", err)
	}
	switch {
	case r.Version != rpcVersion:
		return r, 0, fmt.Errorf("jsonrpc is %q, not %q", r.Version, rpcVersion)
	case r.Method != "":
		return r, 0, errRequest
	case (r.ID == nil || bytes.Equal(r.ID, null)) && r.Error != nil:
		return r, 0, errRefused
	}
	if err := json.Unmarshal(r.ID, &id); err != nil || bytes.Equal(r.ID, null) {
		return r, 0, fmt.Errorf("the id %s is none of ours", beginning(r.ID))
	}
	return r, id, nil
}

// errRequest means that a driver asks or tells the harness something, of its own accord.
var errRequest = errors.New("a driver only answers")

// errRefused means that a driver could make nothing of a line, and says so to nobody in particular (JSON-RPC 2.0 §5).
var errRefused = errors.New("a line was refused")

// outcome is what an answer says, decoded into out: nil, or what is wrong and what is said of it.
func (r response) outcome(out any) (message string, err error) {
	switch {
	case r.Error != nil && r.Result != nil:
		return "the answer has both a result and an error", ErrProtocol
	case r.Error != nil:
		return r.Error.Message, errorOf(r.Error.Code)
	case r.Result == nil:
		return "the answer has neither a result nor an error", ErrProtocol
	}
	if out == nil {
		return "", nil
	}
	if bytes.Equal(r.Result, null) {
		return "the result is null", ErrProtocol
	}
	if err := json.Unmarshal(r.Result, out); err != nil {
		return fmt.Sprintf("the result is of another form: %v", err), ErrProtocol
	}
	return "", nil
}
