package lab

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// settler is a program that writes below /run, and tells of it when it is asked to.
const settler = `
name: settler
version: "1"
program: /bin/sh
tree: settler
process:
  command: [/bin/sh, -ec, "mkdir /run/of-the-settler; echo {{ .Local }}; touch {{ .Dir }}/up; exec sleep 1000"]
  ready: {file: "{{ .Dir }}/up"}
commands:
  load: [/bin/sh, -ec, "test -d /run/of-the-settler; touch {{ .Dir }}/loaded"]
  initiate: [/bin/sh, -ec, "test -f {{ .Dir }}/loaded"]
  terminate: [/bin/sh, -ec, "echo no; exit 1"]
`

func settle(t *testing.T, text string) (*Lab, Foreigner, error) {
	t.Helper()
	needKernel(t)
	f, err := peer.ParseForeign("settler.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(t.Context(), Env{Fabric: Namespaces{}, Seed: t.Name()}, Setup{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	settled, err := l.Settle(t.Context(), MemberName(1), f, peer.Conversation{Local: netip.MustParseAddr("192.0.2.1"), Suite: policy.DefaultProposal})
	return l, settled, err
}

func TestForeignPeerHasARunOfItsOwn(t *testing.T) {
	l, settled, err := settle(t, settler)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/run/of-the-settler"); err == nil {
		t.Error("what it makes below /run is seen outside")
	}
	ctx := context.Background()
	if err := settled.Tell(ctx, peer.CommandInitiate); err != nil {
		t.Error(err)
	}
	if err := settled.Tell(ctx, peer.CommandTerminate); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("a command that fails: %v", err)
	}
	if _, err := settled.Processor(); err != nil {
		t.Error(err)
	}
	shown, err := l.ShowForeign()
	if err != nil || len(shown.Log) == 0 || shown.Log[0] != "192.0.2.1" {
		t.Errorf("it shows %q, %v", shown.Log, err)
	}
}

func TestForeignPeerThatDoesNotComeUp(t *testing.T) {
	_, _, err := settle(t, strings.Replace(settler, "mkdir /run/of-the-settler;", "echo broken; exit 3;", 1))
	if err == nil || !strings.Contains(err.Error(), "settler did not come up: broken") {
		t.Errorf("%v", err)
	}
}

func TestForeignPeersNeedAKernel(t *testing.T) {
	l, err := New(t.Context(), Env{Fabric: Memory{}, Seed: t.Name()}, Setup{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Socket(MemberName(1), 500); err == nil {
		t.Error("the memory fabric has a socket")
	}
}
