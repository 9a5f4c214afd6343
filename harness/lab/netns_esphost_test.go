package lab

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// sitter answers what it is asked: it knows its place, refuses SAs, tells of what it is to send to itself, and dies of a Bye.
const sitter = `
name: sitter
version: "1"
program: /bin/sh
tree: sitter
process:
  command:
    - /bin/sh
    - -ec
    - |
      echo noise; echo up
      while read -r line; do
        case "$line" in
        *Qnll*) echo dying; exit 1 ;;
        *'"place"'*'"inside":"10.0.2.2"'*) echo '{"jsonrpc": "2.0", "id": 1, "result": true}' ;;
        *'"install"'*) echo '{"jsonrpc": "2.0", "id": 2, "error": {"code": -32000, "message": "no cipher"}}' ;;
        *) echo '{"jsonrpc": "2.0", "method": "received", "params": {"from": "10.0.1.2", "to": "10.0.2.2", "data": "aGk="}}'
           echo '{"jsonrpc": "2.0", "id": 3, "result": true}' ;;
        esac
      done
  ready: {line: up}
`

func seatIn(t *testing.T, text string) (*Lab, ESPHost, error) {
	t.Helper()
	needKernel(t)
	f, err := peer.ParseESP("sitter.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(t.Context(), Env{Fabric: Namespaces{}, Seed: t.Name()}, Setup{Members: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	h, err := l.Seat(t.Context(), 2, f)
	return l, h, err
}

func TestESPHost(t *testing.T) {
	l, h, err := seatIn(t, sitter)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := h.Install(ctx, esphost.SA{}); err == nil || !strings.Contains(err.Error(), "install of gm2: no cipher") {
		t.Errorf("SAs that it refuses: %v", err)
	}
	if err := h.Send(ctx, esphost.Datagram{}); err != nil {
		t.Error(err)
	}
	if got := h.Received(); len(got) != 1 || string(got[0].Data) != "hi" || got[0].To != HostAddr(2) {
		t.Errorf("%+v", got)
	}
	if err := h.Send(ctx, esphost.Datagram{Data: []byte("Bye")}); err == nil || !strings.Contains(err.Error(), "no answer") || !strings.Contains(err.Error(), "dying") {
		t.Errorf("a host that dies: %v", err)
	}
	shown, err := l.ShowForeign()
	if err != nil || len(shown.Log) == 0 || shown.Log[0] != "noise" {
		t.Errorf("it shows %q, %v", shown.Log, err)
	}
}

// The kernel of the node keeps out of it.
func TestESPHostHasTheNodeForItself(t *testing.T) {
	l, _, err := seatIn(t, sitter)
	if err != nil {
		t.Fatal(err)
	}
	err = l.Net.(*kernelNet).inside(MemberName(2), func() error {
		ifi, err := net.InterfaceByName(wanInterface)
		if err != nil {
			return err
		}
		addresses, err := ifi.Addrs()
		if len(addresses) > 0 {
			t.Errorf("%s has %v", wanInterface, addresses)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestESPHostThatDoesNotComeUp(t *testing.T) {
	_, _, err := seatIn(t, strings.Replace(sitter, "echo up", "echo broken; exit 3", 1))
	if err == nil || !strings.Contains(err.Error(), "sitter did not come up: noise; broken") {
		t.Errorf("%v", err)
	}
}

// A host that does not end with its input is ended.
func TestStubbornESPHost(t *testing.T) {
	text := strings.Replace(sitter, "      done\n", "      done; exec sleep 1000\n", 1) + "  stop: {within: 100ms}\n"
	_, h, err := seatIn(t, text)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := h.Stop(); err != nil {
		t.Error(err)
	}
	if err := h.Stop(); err != nil {
		t.Errorf("stopped again: %v", err)
	}
	if took := time.Since(begun); took > Patience {
		t.Errorf("stopping took %s", took)
	}
}

func TestESPHostsNeedAKernel(t *testing.T) {
	l, err := New(context.Background(), Env{Fabric: Memory{}, Seed: t.Name()}, Setup{Members: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Seat(context.Background(), 2, nil); err == nil {
		t.Error("the memory fabric has a host with ESP")
	}
}
