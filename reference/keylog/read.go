package keylog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// errNoEntry means that an object is something else than a key, such as a decoded conversation.
var errNoEntry = errors.New("it has neither a kind nor entries")

// Read reads a key log, one entry a line, or a keys.json, {"entries": […]}. A last line that was cut off is an error, as
// is anything else that is no entry; the entries before it are returned with the error.
func Read(data []byte) ([]Entry, error) {
	var entries []Entry
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var line struct {
			Entry
			Entries []Entry `json:"entries"`
		}
		err := decoder.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return entries, nil
		case err != nil:
			return entries, fmt.Errorf("keylog: entry %d at octet %d: %w", len(entries)+1, decoder.InputOffset(), err)
		case line.Kind == "" && line.Entries == nil:
			return entries, fmt.Errorf("keylog: entry %d at octet %d: %w", len(entries)+1, decoder.InputOffset(), errNoEntry)
		case line.Kind != "":
			entries = append(entries, line.Entry)
		}
		entries = append(entries, line.Entries...)
	}
}
