package capture

import "io"

// Print writes the messages as indented text.
func Print(w io.Writer, messages []Message) error { return nil }
