package lab

import (
	"context"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// BenchmarkKeyServerAndFourMembers has a key server, four members and a host behind each in namespaces, from nothing until all
// members are registered, and removes them. The daemons are processes of their own.
func BenchmarkKeyServerAndFourMembers(b *testing.B) {
	if err := (Namespaces{}).Usable(); err != nil {
		b.Skip(err)
	}
	ctx := context.Background()
	for b.Loop() {
		l, err := New(ctx, Env{Fabric: Namespaces{}, Seed: "1"}, Setup{Device: rule.Both, Members: 4, Hosts: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(l.Up(ctx), l.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
