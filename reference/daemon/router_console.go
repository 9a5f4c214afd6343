package daemon

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/console"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// idleConsole is the console of a router without a group.
func idleConsole(c *running, p program) core.Core {
	name, front := c.config.Console()
	o := console.Options{Hostname: name, Enable: front.Enable, Running: c.config.Text, Member: &policy.Member{}}
	if p.name == keyServer.name {
		o.Member, o.KeyServer = nil, &policy.KeyServer{}
	}
	return console.New(nobody{}, o)
}

// nobody is the core of a router without a group: it knows no groups, and can do nothing about them.
type nobody struct{}

func (nobody) Deadline() (time.Time, bool) { return time.Time{}, false }

func (nobody) Handle(_ time.Time, ev core.Event) []core.Effect {
	if c, ok := ev.(*core.Command); ok {
		return []core.Effect{&core.Reply{ID: c.ID, Err: "% There is no group"}}
	}
	return nil
}

// typed answers a line: the console of the node, or of none, and what it leaves to its carrier.
func (r *router) typed(ctx context.Context, args control.ConsoleArgs) (control.ConsoleResult, error) {
	if before, configuring := strings.CutPrefix(args.Mode, control.ConsoleConfigure); configuring {
		return r.configure(ctx, before, args.Line)
	}
	result, err := r.ask(ctx, args)
	if err != nil {
		return result, err
	}
	name, replaces := strings.CutPrefix(result.Mode, control.ConsoleReplace)
	copyTo, saves := strings.CutPrefix(result.Mode, control.ConsoleSave)
	switch {
	case replaces:
		return r.then(ctx, r.replace(name))
	case saves:
		return r.then(ctx, r.save(copyTo))
	}
	return result, nil
}

// ask has the console that there is now answer.
func (r *router) ask(ctx context.Context, args control.ConsoleArgs) (result control.ConsoleResult, err error) {
	r.mu.Lock()
	working := r.work
	r.mu.Unlock()
	if working != nil {
		return typed(ctx, working.node, args)
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return result, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.idle.Handle(time.Now(), &core.Command{Name: control.Console, Args: raw}) {
		if reply, ok := e.(*core.Reply); ok && reply.Err == "" {
			return result, json.Unmarshal(reply.Body, &result)
		}
	}
	return result, errors.New("the console does not answer")
}

// then is the answer to a line that changed the router, which may have another name now.
func (r *router) then(ctx context.Context, text string) (control.ConsoleResult, error) {
	result, err := r.ask(ctx, control.ConsoleArgs{Mode: control.ConsoleExec})
	result.Text = text
	return result, err
}

// replace goes by a copy of an earlier configuration.
func (r *router) replace(name string) string {
	r.mu.Lock()
	kept := r.kept[name]
	r.mu.Unlock()
	if kept == nil {
		return fmt.Sprintf("%% Error: there is no copy %s\n", name)
	}
	if err := r.goBy(kept); err != nil {
		return complaint(err)
	}
	return "Rollback Done\n"
}

// save keeps a copy of the configuration that is running.
func (r *router) save(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[name] = r.running
	return fmt.Sprintf("%d bytes copied\n", len(r.running.config.Text()))
}

// complaint is what is wrong, as a router says it: each fault on a line of its own.
func complaint(err error) string {
	var faults yamldoc.Problems
	if !errors.As(err, &faults) {
		return fmt.Sprintf("%% Error: %v\n", err)
	}
	var b strings.Builder
	for _, f := range faults {
		fmt.Fprintf(&b, "%% Error: %s\n", f.Text)
	}
	return b.String()
}

// configure takes a line in configuration mode. What was typed before stands behind the word of the mode, so that a conversation
// that breaks off leaves nothing; all of it takes effect when the operator leaves the mode.
func (r *router) configure(ctx context.Context, before, line string) (control.ConsoleResult, error) {
	r.mu.Lock()
	now := r.running
	r.mu.Unlock()
	edit := now.config.Edit()
	for _, earlier := range strings.Split(before, "\n") {
		_ = edit.Type(earlier) // it was taken then
	}
	words := strings.Fields(line)
	leaves := line == "end" || line == "\x1a" || line == "exit" && edit.Mode() == ""
	text := ""
	switch {
	case leaves:
		if next := edit.Running(); next.Text() != now.config.Text() {
			if err := r.goBy(&running{next, now.keys}); err != nil {
				text = complaint(err)
			}
		}
		return r.then(ctx, text)
	case len(words) > 3 && slices.Equal(words[:3], []string{"crypto", "key", "generate"}):
		text = r.generate(words[3:])
	default:
		if text = refusal(edit, line); text == "" {
			before += "\n" + line
		}
	}
	name, _ := edit.Running().Console()
	return control.ConsoleResult{Text: text, Mode: control.ConsoleConfigure + before, Prompt: prompt(name, edit.Mode())}, nil
}

// refusal is what an operator reads of a line that is not taken, "" of one that is.
func refusal(edit *iosconfig.Edit, line string) string {
	switch err := edit.Type(line); {
	case errors.Is(err, iosconfig.ErrUnknown):
		return "% Invalid input detected at '^' marker.\n\n"
	case err != nil:
		return complaint(err)
	}
	return ""
}

func prompt(hostname, mode string) string {
	if mode == "" {
		return hostname + "(config)#"
	}
	return fmt.Sprintf("%s(config-%s)#", hostname, strings.ReplaceAll(mode, " ", "-"))
}

// The sizes of keys that are made.
const (
	leastModulus = 1024
	mostModulus  = 4096
)

// generate makes an RSA key, in the place of one of the same label.
func (r *router) generate(words []string) string {
	label, bits := "", leastModulus
	for i, w := range words[:max(0, len(words)-1)] {
		switch w {
		case "label":
			label = words[i+1]
		case "modulus":
			bits, _ = strconv.Atoi(words[i+1])
		}
	}
	if words[0] != "rsa" || label == "" || bits < leastModulus || bits > mostModulus {
		return fmt.Sprintf("%% Error: write crypto key generate rsa label NAME modulus, with a modulus from %d to %d bits\n", leastModulus, mostModulus)
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return complaint(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return complaint(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = r.running.with(label+".pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return fmt.Sprintf("The name for the keys will be: %s\n[OK]\n", label)
}
