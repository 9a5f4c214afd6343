package policy

import "fmt"

type antiReplayDoc struct {
	Counter int    `yaml:"counter,omitempty"`
	Time    string `yaml:"time,omitempty"`
	Tick    string `yaml:"tick,omitempty"`
}

type replayAttributesDoc struct {
	Counter    uint16 `yaml:"counter,omitempty"`
	Window     uint16 `yaml:"window,omitempty"`
	Tick       uint16 `yaml:"tick,omitempty"`
	Pseudotime uint16 `yaml:"pseudotime,omitempty"`
	Tag        uint16 `yaml:"tag,omitempty"`
}

type metadataDoc struct {
	Protocol uint8  `yaml:"protocol,omitempty"`
	Length   int    `yaml:"length,omitempty"`
	Tag      uint16 `yaml:"tag,omitempty"`
	Lacking  bool   `yaml:"lacking,omitempty"`
}

// antiReplayDocOf is a word where the sizes are those of the method, a mapping otherwise, and nothing if nothing was said.
func antiReplayDocOf(a AntiReplay) (any, error) {
	name, ok := word(replayMethods, a.Method)
	switch {
	case !ok:
		return nil, fmt.Errorf("anti-replay method %d has no name", uint8(a.Method))
	case name == "":
		return nil, nil
	case a == (AntiReplay{Method: a.Method}):
		return name, nil
	}
	return antiReplayDoc{Counter: a.Counter, Time: duration(a.Time()), Tick: duration(a.Tick)}, nil
}

// tagDocOf leaves out that there is none.
func tagDocOf(tag bool) string {
	name, _ := word(tagMethods, tag)
	return name
}

func replayAttributesDocOf(a ReplayAttributes) *replayAttributesDoc {
	if a == (ReplayAttributes{}) {
		return nil
	}
	doc := replayAttributesDoc(a)
	return &doc
}

func metadataDocOf(m Metadata) *metadataDoc {
	if m == (Metadata{}) {
		return nil
	}
	doc := metadataDoc(m)
	return &doc
}
