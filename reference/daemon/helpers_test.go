package daemon

import (
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

// freeAddress returns a loopback address with a port that nobody uses.
func freeAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return netip.MustParseAddrPort(conn.LocalAddr().String())
}

// waitFor waits for a control socket.
func waitFor(t *testing.T, socket string) {
	t.Helper()
	nettest.Eventually(t, "the control socket", func() bool {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// ask runs a subcommand against a control socket and returns what it prints.
func ask(t *testing.T, p program, socket string, args ...string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	if code := run(t.Context(), p, append(args, "--control", socket), &out, &stderr); code != 0 {
		t.Fatalf("%s %v: exit %d: %s", p.name, args, code, stderr.String())
	}
	return out.String()
}

func askJSON(t *testing.T, p program, socket string, answer any, args ...string) {
	t.Helper()
	text := ask(t, p, socket, args...)
	if err := json.Unmarshal([]byte(text), answer); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
