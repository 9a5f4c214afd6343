package keyserver_test

import (
	"encoding/json"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// FuzzCommand gives a key server commands with arguments of any octets, as they come over its control socket. Each is answered
// once, with JSON or with an error, and the key server still tells its status.
func FuzzCommand(f *testing.F) {
	f.Add(control.Rekey, []byte(`{"kek": true, "delete_teks": ["0"], "lifetime": 5, "announce": true}`))
	f.Add(control.Rekey, []byte(`{"group": 4294967295}`))
	f.Add(control.Rekey, []byte(`{"delete_all": true, "kek_only": true}`))
	f.Add(control.Status, []byte(`null`))
	f.Add("", []byte(`{`))
	l := newLab(f, configuration(), nil)
	f.Fuzz(func(t *testing.T, name string, args []byte) {
		l.t, l.logs, l.secrets = t, nil, nil
		replies := 0
		for _, effect := range l.ks.Handle(l.now, &core.Command{ID: 9, Name: name, Args: args}) {
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
		if s := l.status(); len(s.Groups) != 1 || len(s.Groups[0].SAs) == 0 {
			t.Errorf("status %+v", s)
		}
	})
}
