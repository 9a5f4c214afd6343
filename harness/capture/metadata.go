package capture

import (
	"fmt"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/metadata"
)

// replayAttributes are the names of the attributes with which a SAT of GET VPN tells of anti-replay, under the numbers that they have
// unless they are configured otherwise.
var replayAttributes = map[uint16]string{
	policy.DefaultReplayAttributes.Counter:    "Anti-Replay Window (packets)",
	policy.DefaultReplayAttributes.Window:     "Anti-Replay Window (seconds)",
	policy.DefaultReplayAttributes.Tick:       "Anti-Replay Tick (milliseconds)",
	policy.DefaultReplayAttributes.Pseudotime: "Pseudotime",
	policy.DefaultReplayAttributes.Tag:        "Tag Method",
}

// saAttribute is the name of an attribute of a SAT.
func saAttribute(n uint16) string {
	if name, ok := replayAttributes[n]; ok {
		return name
	}
	return gdoi.SAAttribute(n).String()
}

// metadata shows the headers of GET VPN in front of a packet, and returns what they are in front of. Headers that cannot be read are
// left there.
func (c *cursor) metadata(m *Message, plain []byte, next uint8) ([]byte, uint8) {
	for next == metadata.Protocol {
		h, err := metadata.Parse(plain)
		if err != nil {
			m.fail(fmt.Errorf("inside: %w", err))
			return plain, next
		}
		in := cursor{at: c.at}
		in.add("Next Header", numbered(protocolNames[h.Next], uint64(h.Next)), 1)
		in.number("Length", uint64(h.Length), 1)
		in.named("Kind", h.Kind.String(), uint64(h.Kind), 2)
		if h.Kind == metadata.KindStamp {
			stamp := pseudotime.Stamp(h.Stamp)
			in.add("Pseudotime", stamp.String(), 8)
			m.Summary += ", pseudotime " + stamp.String()
		} else {
			in.number("Tag", uint64(h.Tag), 2)
			m.Summary += fmt.Sprintf(", tag %d", h.Tag)
		}
		in.at = c.at + h.Length
		c.nest("Metadata", in)
		plain, next = plain[h.Length:], h.Next
	}
	return plain, next
}
