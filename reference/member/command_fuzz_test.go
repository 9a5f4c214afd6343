package member_test

import (
	"encoding/json"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
)

// FuzzCommand gives a member commands with arguments of any octets, as they come over its control socket. Each is answered once,
// with JSON or with an error, and the member still tells its status.
func FuzzCommand(f *testing.F) {
	f.Add("status", []byte(`null`))
	f.Add("register", []byte(`{"group": 4294967295}`))
	f.Add("clear", []byte(`{"group": 1234}`))
	f.Add("", []byte(`{`))
	f.Fuzz(func(t *testing.T, name string, args []byte) {
		l := newLab(t)
		replies := 0
		for _, effect := range l.gm.Handle(l.now, &core.Command{ID: 9, Name: name, Args: args}) {
			if r, ok := effect.(*core.Reply); ok {
				replies++
				if r.ID != 9 || (r.Err == "") == (r.Body == nil) || r.Err == "" && !json.Valid(r.Body) {
					t.Errorf("reply %+v", r)
				}
			}
		}
		if replies != 1 {
			t.Errorf("%d replies", replies)
		}
		if s := l.status(); s.Group != group {
			t.Errorf("status %+v", s)
		}
	})
}
