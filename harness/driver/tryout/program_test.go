package tryout

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// playing is the variable by which this program is started as one of the wrong drivers.
const playing = "GDOILAB_TEST_DRIVER"

func TestMain(m *testing.M) {
	if name := os.Getenv(playing); name != "" {
		os.Exit(play(name))
	}
	os.Exit(m.Run())
}

// play is a driver.
func play(name string) int {
	for _, c := range wrongWords {
		if c.name == name && c.instead != nil {
			return c.instead()
		}
		if c.name == name {
			b := new(bent)
			c.bend(b)
			_ = driver.Serve(context.Background(), b, os.Stdin, os.Stdout)
			return 0
		}
	}
	return 9
}

func answer(a driver.Answer, names ...string) func(*bent) {
	return func(b *bent) {
		b.answers = make(map[string]driver.Answer)
		for _, name := range names {
			b.answers[name] = a
		}
	}
}

// yes answers every request with the same result.
func yes(result string) func() int {
	return func() int {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			var q struct{ ID json.RawMessage }
			if json.Unmarshal(lines.Bytes(), &q) == nil {
				fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", q.ID, result)
			}
		}
		return 0
	}
}

// Drivers that say something wrong, and what is said of them.
var wrongWords = []struct {
	name    string
	bend    func(*bent)
	instead func() int
	want    string
}{
	{"right", func(*bent) {}, nil, ""},
	{"another version", func(b *bent) {
		b.hello = func(driver.Greeting) (driver.Identity, error) { return driver.Identity{Version: 7, Name: "x"}, nil }
	}, nil, "says hello: driver: x: hello: not understood: it speaks version 7 of the contract, and this program version 1"},
	{"no name", func(b *bent) {
		b.hello = func(driver.Greeting) (driver.Identity, error) { return driver.Identity{Version: 1}, nil }
	}, nil, "says hello: driver: a driver: hello: not understood: it has no name"},
	{"every version", func(b *bent) {
		b.hello = func(g driver.Greeting) (driver.Identity, error) {
			return driver.Identity{Version: g.Versions[0], Name: "x"}, nil
		}
	}, nil, "knows its version: it agrees to version 1048576 of the contract, which there is not"},
	{"says yes to everything", answer(driver.Supported, driver.Invented), nil,
		"says hello: driver: model: capabilities: not understood: it says that it has " + driver.Invented + ", which nobody has"},
	{"says maybe", answer("maybe", "ack"), nil, `agrees with its manifest: driver: a driver: capabilities: not understood: it answers "maybe" for ack`},
	{"says nothing of one", func(b *bent) { b.missing = "ack" }, nil, "it does not answer for ack"},
	{"lacks what is declared", answer(driver.Unknown, driver.MethodSecrets), nil,
		"agrees with its manifest: the manifest declares a key log (x.yaml:8:13), and the driver answers secrets: unknown"},
	{"lacks a command", answer(driver.NotSupported, driver.TriggerCapability("clear")), nil,
		"the manifest declares the control command clear (x.yaml:7:14), and the driver answers trigger:clear: unsupported"},
	{"lacks a feature", answer(driver.NotSupported, "ack"), nil,
		"agrees with its manifest: the manifest declares the feature ack, and the driver says that it is unsupported"},
	{"applies nothing", func(b *bent) {
		b.apply = func() (driver.Applied, error) { return driver.Applied{}, nil }
	}, nil, "waits until it is prepared: it applies a policy that it was not given"},
	{"starts nothing", func(b *bent) { b.start = func() error { return nil } }, nil,
		"waits until it is prepared: it starts a device that it was not told of"},
	{"knows the state of nothing", func(b *bent) { b.state = state("{}") }, nil,
		"waits until it is prepared: it knows the state of a device that there is not"},
	{"dies of it", func(b *bent) { b.start = func() error { fmt.Fprintln(os.Stderr, "no room"); os.Exit(3); return nil } }, nil,
		"waits until it is prepared: driver: it: start: the driver ended; it printed last: no room; exit status 3"},
	{"is silent", func(b *bent) { b.start = func() error { time.Sleep(time.Second); return nil } }, nil,
		"waits until it is prepared: driver: it: start: no answer in time"},
	{"says yes", nil, yes(`{"version":1,"name":"x","capabilities":{}}`), "capabilities: not understood: it does not answer for " + driver.Invented},
	{"says nothing", nil, yes(`null`), "says hello: driver: it: hello: not understood: the result is null"},
	{"is not there", nil, func() int { return 4 }, "says hello: driver: it: hello: the driver ended; it printed last: exit status 4"},
	{"knows every method", nil, func() int { return relay(`"gdoilab:no-such-method"`, `{"jsonrpc":"2.0","id":ID,"result":{}}`) },
		"refuses what it does not know: it answers a method that there is not"},
	{"fails at what it does not know", nil,
		func() int {
			return relay(`"gdoilab:no-such-method"`, `{"jsonrpc":"2.0","id":ID,"error":{"code":1,"message":"what?"}}`)
		},
		"refuses what it does not know: a method that there is not has to be refused with the code -32601: driver: it: gdoilab:no-such-method: failed: what?"},
	{"gives up at what it cannot read", nil, func() int { return relay(`no request`, "") },
		"refuses what it does not know: after a line that is no request it does not go on"},
	{"talks", func(*bent) { fmt.Println("starting up") }, nil, "writes nothing else to its output: 1 lines there are no answers, the first: no JSON-RPC"},
	{"ends badly", nil, func() int { return max(5, relay("", "")) }, "ends when its input does: driver: it: its end: exit status 5"},
}

// relay is a right driver, but a request with that text gets another answer, or ends it if that is "".
func relay(text, instead string) int {
	requests, to := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- driver.Serve(context.Background(), new(bent), requests, os.Stdout) }()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if text == "" || !strings.Contains(lines.Text(), text) {
			fmt.Fprintln(to, lines.Text())
			continue
		}
		if instead == "" {
			return 0
		}
		var q struct{ ID json.RawMessage }
		_ = json.Unmarshal(lines.Bytes(), &q)
		fmt.Println(strings.Replace(instead, "ID", string(q.ID), 1))
	}
	_ = to.Close()
	<-done
	return 0
}

const modelManifest = `name: model
features: [ack]
roles:
  GM:
    driver: {command: [x]}
    syslog: {events: driver}
    control: {commands: [status, register, clear]}
    keylog: {}
`

func TestWrongWords(t *testing.T) {
	m, err := peer.Parse("x.yaml", []byte(modelManifest))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range wrongWords {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), playing+"="+c.name)
			within := time.Duration(0)
			if c.name == "is silent" {
				within = 200 * time.Millisecond
			}
			p, err := driver.Run("it", cmd, within)
			if err != nil {
				t.Fatal(err)
			}
			var faults []string
			Words(t.Context(), p, m, m.GM, func(s Step) {
				if s.Fault() {
					faults = append(faults, s.What+": "+s.Err.Error())
				}
			})
			if said := strings.Join(faults, "\n"); c.want == "" && said != "" || !strings.Contains(said, c.want) {
				t.Errorf("%s\nwant %s", said, c.want)
			}
		})
	}
}
