package lab

import (
	"context"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Memory{}, Seed: "1"}, Setup{Members: 2, Hosts: true, Device: rule.GM})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = l.Up(ctx)
	show := func() {
		for _, p := range l.Peers() {
			for _, line := range p.Log() {
				t.Log(line)
			}
		}
		for _, m := range l.Messages() {
			t.Log(m.Frame, m.Kind, m.From, m.To, m.Err)
		}
	}
	if err != nil {
		show()
		t.Fatal(err)
	}
	p, _ := l.Hosts[0].Ping(ctx, l.Hosts[1].Addr(), Ping{})
	for range 3 {
		r, err := l.KS.Rekey(ctx, control.RekeyArgs{})
		t.Log(r, err)
		l.Pass(ctx, Patience)
	}
	t.Logf("%+v", p.Stop())
	show()
}
