package policy

import "fmt"

type logDoc struct {
	To      string `yaml:"to"`
	Format  string `yaml:"format,omitempty"`
	Framing string `yaml:"framing,omitempty"`
}

// logDocOf writes what differs from the default; nil is nowhere.
func logDocOf(r LogReceiver) (*logDoc, error) {
	if r == (LogReceiver{}) {
		return nil, nil
	}
	format, ok1 := logFormats.Of(r.Format)
	framing, ok2 := logFramings.Of(r.Framing)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("log format %d or framing %d has no name", r.Format, r.Framing)
	}
	doc := &logDoc{To: fmt.Sprintf("%s://%s", r.Network, r.Address)}
	if r.Format != LogRFC5424 {
		doc.Format = format
	}
	if r.Framing != FrameByCount {
		doc.Framing = framing
	}
	return doc, nil
}
