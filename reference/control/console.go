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

// ConsoleClosed is the mode of a conversation that has ended, ConsolePassword that in which the line is a secret.
const (
	ConsoleClosed   = "closed"
	ConsolePassword = "password"
)
