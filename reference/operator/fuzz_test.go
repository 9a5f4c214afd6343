package operator

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
)

// told is a connection to a node that answers with these octets, whatever it is asked.
type told struct {
	net.Conn
	io.Reader
}

func (c told) Read(b []byte) (int, error)  { return c.Reader.Read(b) }
func (c told) Write(b []byte) (int, error) { return len(b), nil }

// FuzzAnswer: what a node answers is read or is an error, whatever it is, and nobody waits for ever.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"id":1,"body":{"role":"KS","half_open":3,"groups":[{"id":1234,"sas":[{"spi":"00000100"}]}]}}` + "\n"))
	f.Add([]byte(`{"id":2,"body":{}}` + "\n" + `{"id":1,"error":"no"}` + "\n"))
	f.Add([]byte(`{"id":1}` + "\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &Client{conn: told{Reader: bytes.NewReader(data)}}
		c.in = bufio.NewReader(c.conn)
		var ks control.KSStatus
		_ = c.Call(t.Context(), control.Status, nil, &ks)
		var gm control.GMStatus
		_ = c.Call(t.Context(), control.Status, nil, &gm)
	})
}
