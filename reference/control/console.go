package control

// Console is the command for what an operator types: a node of profile getvpn answers ConsoleArgs with a ConsoleResult.
const Console = "console"

// ConsoleArgs is one line and the mode in which it is typed: that of the result before it, and "" at first.
type ConsoleArgs struct {
	Line string `json:"line"`
	Mode string `json:"mode,omitempty"`
}

// ConsoleResult is what a line leads to.
type ConsoleResult struct {
	Text   string `json:"text"`
	Mode   string `json:"mode,omitempty"`
	Prompt string `json:"prompt"` // for the next line
}

// The modes that a carrier knows: in ConsoleExec the operator may do everything, in ConsolePassword the line is a secret, and
// ConsoleClosed is the mode of a conversation that has ended.
const (
	ConsoleExec     = "exec"
	ConsoleClosed   = "closed"
	ConsolePassword = "password"

	// ConsoleConfigure is for a carrier whose node has a configuration that operators may change: it answers lines until the
	// operator is through. What stands behind it is the carrier's own.
	ConsoleConfigure = "configure"
	// ConsoleReplace and ConsoleSave ask such a carrier for one thing, done to the copy of the configuration whose name stands behind.
	ConsoleReplace = "replace:"
	ConsoleSave    = "save:"
)
