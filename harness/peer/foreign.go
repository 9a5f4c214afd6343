package peer

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Foreign describes a program that somebody else wrote and that knows nothing of GDOI: an IKE daemon, with how a conversation
// becomes its configuration and how it is told to begin or to end one, or a host with ESP (LoadESP). It is no device under test
// but the other side of one.
type Foreign struct {
	File     string // as it was named
	At       string // place of its name, which makes it what it is
	Digest   string // SHA-256 of the file, in hexadecimal
	Name     string
	Version  string
	Program  string // the file without which it is not installed
	Tree     string // folder below TreeRoot with what its packages hold below /usr
	Process  *Process
	Words    map[string]string // what it calls the words of a policy, where it calls them otherwise
	Lacks    []Lack            // features by the words of a policy, and those of LackESP and LackDPD
	Commands map[string][]Text // by what they are for
	Expected []Expected        // what is known to fail with it
	scripts  []File            // of one with ESP, as they are in the folder of its description
}

// What a Foreign's commands are for.
const (
	CommandLoad      = "load"      // read the configuration, after the start
	CommandInitiate  = "initiate"  // begin Phase 1
	CommandTerminate = "terminate" // end it with a Delete
	CommandRekey     = "rekey"     // have another IKE SA take its place, which only IKEv2 knows
)

const (
	foreignFolder = "peers/ike"
	treeVariable  = "GDOILAB_PEERS"
	treeDefault   = "out/peers"
)

// TreeRoot is the folder into which ci/setup.sh unpacks the packages of foreign peers.
func TreeRoot() string {
	if root := os.Getenv(treeVariable); root != "" {
		return root
	}
	return treeDefault
}

// Conversation is what a Foreign has to be told of one Phase 1, and of what runs under it.
type Conversation struct {
	Local, Remote netip.Addr
	Names         Names
	PSK           string
	Suite         policy.Proposal
	Begins        bool // the daemon is the initiator
	Aggressive    bool // in Aggressive Mode
	Papers        Papers
	Asks          time.Duration // silence after which the daemon asks whether the other side is alive; 0: never
	Traffic       *Traffic
	IKEv2         *IKEv2 // by that version; nil: by IKEv1
}

// IKEv2 is what a conversation by that version has that others have not.
type IKEv2 struct {
	GCM     bool // AES-GCM takes the place of the suite's cipher; its hash is that of the PRF
	Cookies bool // the daemon asks for cookies from the first request on
}

// Names are the hosts' names by which the sides prove who they are, if they do not so by their addresses.
type Names struct{ Local, Remote string }

// Papers are what the daemon signs and checks signatures with, in PEM.
type Papers struct{ Certificate, Key, Anchor string }

// Signed reports whether the sides sign instead of knowing a key.
func (c Conversation) Signed() bool { return c.Suite.Authentication != policy.AuthPSK }

// Traffic is the ESP under a Phase 1.
type Traffic struct {
	Transform     policy.Transform
	Local, Remote netip.Prefix
}

// foreignData is what the templates of a Foreign see.
type foreignData struct {
	Conversation
	Dir   string
	words map[string]string
}

// Encryption, Hash and Group are the algorithms of Phase 1 in the daemon's words.
func (d foreignData) Encryption() string { return d.word(0) }

// Hash is the hash of Phase 1.
func (d foreignData) Hash() string { return d.word(1) }

// Group is the Diffie-Hellman group.
func (d foreignData) Group() string { return d.word(2) }

func (d foreignData) word(i int) string { return d.own(strings.Fields(d.Suite.String())[i]) }

// GCM reports whether AES-GCM takes the place of the suite's cipher.
func (d foreignData) GCM() bool { return d.Conversation.IKEv2 != nil && d.Conversation.IKEv2.GCM }

// ECDSA reports whether the sides sign with ECDSA.
func (d foreignData) ECDSA() bool { return d.Signed() && d.Suite.Authentication != policy.AuthRSA }

// ESP is the transform of the traffic in the daemon's words.
func (d foreignData) ESP() string { return d.own(d.Traffic.Transform.String()) }

func (d foreignData) own(word string) string {
	if theirs, ok := d.words[word]; ok {
		return theirs
	}
	return word
}

// LoadForeign reads the description of that name in fixtures/peers/ike.
func LoadForeign(name string) (*Foreign, error) {
	return loadForeign(path.Join(foreignFolder, name+extension), ParseForeign)
}

func loadForeign(file string, parse func(string, []byte) (*Foreign, error)) (*Foreign, error) {
	data, err := fixtures.FS.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("peer: no foreign peer is called %q", strings.TrimSuffix(path.Base(file), extension))
	}
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	return parse(path.Join("fixtures", file), data)
}

// Foreigners lists the foreign peers.
func Foreigners() []string { return described(foreignFolder) }

// ParseForeign reads the description of an IKE daemon. The error is a yamldoc.Problems.
func ParseForeign(file string, data []byte) (*Foreign, error) {
	f := &Foreign{File: file, Digest: digest(data), Words: make(map[string]string), Commands: make(map[string][]Text)}
	return f, yamldoc.Read(file, data, func(root yamldoc.Value) {
		f.At = root.Place()
		root.Fields(append(f.common(),
			yamldoc.Field{Name: "words", Read: f.readWords},
			yamldoc.Optional("lacks", &f.Lacks, yamldoc.List(foreignLack)),
			yamldoc.Field{Name: "commands", Required: true, Read: f.readCommands},
		)...)
	})
}

// common are the fields of every foreign peer.
func (f *Foreign) common() []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Required("name", &f.Name, name),
		yamldoc.Required("version", &f.Version, words),
		yamldoc.Required("program", &f.Program, name),
		yamldoc.Required("tree", &f.Tree, name),
		yamldoc.Required("process", &f.Process, process),
		yamldoc.Optional("expected_failures", &f.Expected, expectedFailures),
	}
}

// readWords takes a list of "ours = theirs".
func (f *Foreign) readWords(v yamldoc.Value) {
	v.Items(func(_ int, item yamldoc.Value) {
		s, ok := item.Text()
		ours, theirs, pair := strings.Cut(s, " = ")
		if ok && !pair {
			item.Problem("%q is no pair of words; write ours = theirs", s)
		}
		f.Words[ours] = theirs
	})
}

func foreignLack(v yamldoc.Value) Lack {
	l := Lack{At: v.Place()}
	v.Fields(yamldoc.Required("feature", &l.Feature, name), yamldoc.Required("why", &l.Why, sentence))
	if l.Feature != "" && !inConversation(l.Feature) {
		v.Problem("no conversation has %q; write a word of a suite, such as modp1024, %s or %s", l.Feature, LackESP, LackDPD)
	}
	return l
}

// inConversation reports whether a word may be that of a conversation.
func inConversation(word string) bool {
	for _, form := range []string{"%s sha256 modp2048", "aes128-cbc %s modp2048", "aes128-cbc sha256 %s", "aes128-cbc sha256 modp2048 %s"} {
		if _, err := policy.ParseProposal(fmt.Sprintf(form, word)); err == nil {
			return true
		}
	}
	return word == LackESP || word == LackDPD
}

func (f *Foreign) readCommands(v yamldoc.Value) {
	var fields []yamldoc.Field
	for _, purpose := range []string{CommandLoad, CommandInitiate, CommandTerminate, CommandRekey} {
		needed := purpose == CommandInitiate || purpose == CommandTerminate
		fields = append(fields, yamldoc.Field{Name: purpose, Required: needed, Read: func(v yamldoc.Value) {
			f.Commands[purpose] = yamldoc.Some("word", text)(v)
		}})
	}
	v.Fields(fields...)
}

// What a daemon may lack beside the algorithms of a suite.
const (
	LackESP = "esp" // it has no ESP of its own
	LackDPD = "dpd" // it does not ask whether the other side is alive
)

// Lacking returns the declaration by which the daemon lacks something for such a conversation, or "".
func (f *Foreign) Lacking(c Conversation) string {
	wanted := strings.Fields(c.Suite.String())
	if c.IKEv2 != nil && c.Signed() { // signatures of IKEv2 are others
		wanted = wanted[:len(wanted)-1]
	}
	if c.Traffic != nil {
		wanted = append(wanted, LackESP)
	}
	if c.Asks > 0 {
		wanted = append(wanted, LackDPD)
	}
	for _, l := range f.Lacks {
		if slices.Contains(wanted, l.Feature) {
			return fmt.Sprintf("%s %s has no %s: %s (%s)", f.Name, f.Version, l.Feature, l.Why, l.At)
		}
	}
	return ""
}

// Absent says that the program is not on this machine, or "".
func (f *Foreign) Absent() string {
	for _, at := range []string{f.Program, filepath.Join(TreeRoot(), f.Tree, f.Program)} {
		if _, err := os.Stat(at); err == nil {
			return ""
		}
	}
	return fmt.Sprintf("%s is not installed (%s); as root, ci/setup.sh unpacks it below %s", f.Name, f.Program, TreeRoot())
}

// Over is the folder that is laid over /usr while the daemon runs; "" if it is installed on the machine itself.
func (f *Foreign) Over() (string, error) {
	usr, err := filepath.Abs(filepath.Join(TreeRoot(), f.Tree, "usr"))
	if err != nil {
		return "", fmt.Errorf("peer: %w", err)
	}
	if _, err := os.Stat(usr); err != nil {
		return "", nil
	}
	return usr, nil
}

// Launch renders everything for one conversation, for a daemon whose files are in dir. An error names the place in the
// description.
func (f *Foreign) Launch(dir string, c Conversation) (*Launch, map[string][]string, error) {
	w := writer{data: foreignData{c, dir, f.Words}}
	l := w.launch(f.Process, dir)
	commands := make(map[string][]string)
	for purpose, words := range f.Commands {
		commands[purpose] = w.all(words)
	}
	return l, commands, errors.Join(w.errs...)
}
