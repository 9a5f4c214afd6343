package daemon

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// options are the flags.
type options struct {
	config, control, keylog, log string
	mutants                      []string
	outside                      string
	inside                       []string
	udpChecksum                  bool           // of ESP in UDP
	batch                        bool           // how the process is scheduled
	console                      policy.Console // of the configuration
	failsClose                   bool           // sessions of operators pass only as the list of a member says that fails close
	lenient                      bool
	beside                       []companion // of the node, as its configuration says
	operators                    string      // address of the console over SSH at which the configuration is changed
	hostKey                      string      // file of the private key of that console
	running                      *running    // configuration in the place of the file's; nil: the file's

	receiver policy.LogReceiver // of the log, as the configuration has it
	profile  policy.Profile
}

func (o *options) register(root *cobra.Command) {
	root.PersistentFlags().StringVar(&o.control, "control", "", "`path` of the Unix socket for operators' commands")
	f := root.Flags()
	f.StringVar(&o.config, "config", "", "configuration `file` (YAML, or what a router has if its name ends with .ios)")
	f.BoolVar(&o.lenient, "lenient", false, "of a .ios file: what is not known, or has no field, is a warning")
	f.StringVar(&o.log, "log", "stderr", "`target` of log lines (RFC 5424): stderr, a file, or udp://host:port")
	f.StringVar(&o.keylog, "keylog", "", "append all keys to this `file`, for reading captures; secret, so off unless named")
	f.StringVar(&o.operators, "operators", "", "with a .ios file: `address` of a console over SSH at which the configuration is shown and changed")
	f.StringVar(&o.hostKey, "host-key", "", "private key `file` of the console that --operators opens (default: one is made at each start)")
	f.StringVar(&o.outside, "interface", "", "outside interface by `name` (default: the one with the configured address)")
	f.StringArrayVar(&o.mutants, "mutant", nil, "alter a guard: `name=mutation`")
	_ = f.MarkHidden("mutant")
}

// switches reads the hidden flag --mutant.
func (o *options) switches() (*rule.Switches, error) {
	var s rule.Switches
	for _, m := range o.mutants {
		name, mutation, ok := strings.Cut(m, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("--mutant %q: want name=mutation", m)}
		}
		if err := s.Set(name, mutation); err != nil {
			return nil, usageError{fmt.Errorf("--mutant %q: %w", m, err)}
		}
	}
	return &s, nil
}

// closers are files to be closed in reverse order.
type closers []io.Closer

// Close closes all of them.
func (c closers) Close() error {
	var errs []error
	for i := len(c) - 1; i >= 0; i-- {
		errs = append(errs, c[i].Close())
	}
	return errors.Join(errs...)
}

// open makes the log and the key log, and puts them into the node's configuration with the other flags.
func (o *options) open(stderr io.Writer, cfg *node.Config) (closers, error) {
	var opened closers
	log, err := openLog(o.log, stderr)
	if err != nil {
		return nil, usageError{fileError{fmt.Errorf("--log: %w", err)}}
	}
	if c, ok := log.(io.Closer); ok && o.log != "stderr" {
		opened = append(opened, c)
	}
	if r := receive(cfg, o.receiver, o.profile); r != nil {
		opened = append(opened, r)
	}
	cfg.Log, cfg.LogFormat, cfg.Control, cfg.Interface = log, logFormat(o.log, stderr), o.control, o.outside
	if o.keylog == "" {
		return opened, nil
	}
	file, err := os.OpenFile(o.keylog, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		_ = opened.Close()
		return nil, usageError{fileError{fmt.Errorf("--keylog: %w", err)}}
	}
	cfg.KeyLog = file
	return append(opened, file), nil
}

// logFormat is plain text for a person who looks at a terminal, and syslog for everything else.
func logFormat(to string, stderr io.Writer) node.LogFormat {
	if f, ok := stderr.(*os.File); ok && to == "stderr" && term.IsTerminal(int(f.Fd())) {
		return node.LogText
	}
	return node.LogSyslog
}

func openLog(to string, stderr io.Writer) (io.Writer, error) {
	if to == "stderr" {
		return stderr, nil
	}
	address, ok := strings.CutPrefix(to, "udp://")
	if !ok {
		return os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	}
	conn, err := net.Dial("udp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; write udp://192.0.2.1:514", to, err)
	}
	return datagramLog{conn}, nil
}

// datagramLog sends each line as a datagram of its own (RFC 5426 §3.1). Nobody listening is no reason to fail.
type datagramLog struct{ net.Conn }

// Write sends one line without its end.
func (d datagramLog) Write(line []byte) (int, error) {
	_, _ = d.Conn.Write(line[:len(line)-1])
	return len(line), nil
}
