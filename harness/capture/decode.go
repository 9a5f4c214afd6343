package capture

import "github.com/gdoilab/gdoilab/reference/keylog"

// Decode reads the frames as one conversation.
func Decode(frames []Frame, keys []keylog.Entry) []Message {
	messages := make([]Message, len(frames))
	for i, f := range frames {
		messages[i] = Message{Frame: i + 1, At: f.At, Link: f.Link, Note: f.Note, Kind: KindOther}
	}
	return messages
}
