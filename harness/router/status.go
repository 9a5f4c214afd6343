package router

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// state is what is found, in the form of a status.
type state struct {
	group  control.GMGroup
	name   string
	sa     control.SA
	member control.KSMember
	now    time.Time
}

// field is one that rules may find, and how it is read.
type field struct {
	name string
	read func(s *state, text string) error
}

// fields are those of each kind; what key servers and members have alike stands in the member's group.
var fields = map[Kind][]field{
	Group: {
		{"name", func(s *state, text string) error { s.name = text; return nil }},
		{"group", func(s *state, text string) (err error) { s.group.Group, err = groupNumber(text); return err }},
		{"state", readState},
		{"key_server", func(s *state, text string) (err error) { s.group.KeyServer, err = address(text); return err }},
		{"rekey", func(s *state, text string) (err error) { s.group.Rekey, err = hexadecimal(text, 32); return err }},
		{"rekey_left", func(s *state, text string) (err error) { s.group.RekeyExpiry, err = end(s.now, text); return err }},
		{"sequence", func(s *state, text string) error { return number(text, &s.group.Sequence) }},
		{"pseudotime", readPseudotime},
		{"registrations", func(s *state, text string) error { return number(text, &s.group.Registrations) }},
		{"rekeys", func(s *state, text string) error { return number(text, &s.group.Rekeys) }},
	},
	SA: {
		{"spi", func(s *state, text string) (err error) { s.sa.SPI, err = hexadecimal(text, 8); return err }},
		{"left", func(s *state, text string) (err error) { s.sa.Expiry, err = end(s.now, text); return err }},
		{"selector", func(s *state, text string) error { s.sa.Selector = text; return nil }},
		{"cipher", func(s *state, text string) error { s.sa.Cipher = text; return nil }},
		{"sending", func(s *state, text string) (err error) { s.sa.Sending, err = strconv.ParseBool(text); return err }},
	},
	Member: {
		{"identity", func(s *state, text string) error { s.member.Identity = text; return nil }},
		{"address", func(s *state, text string) (err error) { s.member.Address, err = address(text); return err }},
		{"acked", func(s *state, text string) error { s.member.EverAcked = true; return number(text, &s.member.Acked) }},
		{"rekeys", func(s *state, text string) error { return number(text, &s.member.Rekeys) }},
		{"acks", func(s *state, text string) error { return number(text, &s.member.Acks) }},
	},
}

// Fields are the names of the fields of a kind, of every kind if it is "".
func Fields(k Kind) (names []string) {
	for _, kind := range []Kind{Group, SA, Member} {
		for _, f := range fields[kind] {
			if (k == "" || k == kind) && !slices.Contains(names, f.name) {
				names = append(names, f.name)
			}
		}
	}
	return names
}

// states are the words of a member's state.
var states = []string{"idle", "phase1", "pull", "registered"}

func readState(s *state, text string) error {
	if !slices.Contains(states, text) {
		return fmt.Errorf("%q is none of the states %s", text, strings.Join(states, ", "))
	}
	s.group.State = text
	return nil
}

func readPseudotime(s *state, text string) error {
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return fmt.Errorf("%q is no pseudotime", text)
	}
	s.group.Pseudotime = &control.Pseudotime{Value: text}
	return nil
}

// groupNumber is the identity of a group: a number, or an address that stands for one.
func groupNumber(text string) (n uint32, err error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Is4() {
		b := a.As4()
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), nil
	}
	return n, number(text, &n)
}

func number[T uint32 | uint64](text string, into *T) error {
	bits := 64
	if _, small := any(*into).(uint32); small {
		bits = 32
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return fmt.Errorf("%q is no number", text)
	}
	*into = T(n)
	return nil
}

// address is one with a port; 848 is meant if there is none.
func address(text string) (string, error) {
	if _, err := netip.ParseAddrPort(text); err == nil {
		return text, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return "", fmt.Errorf("%q is no address", text)
	}
	return netip.AddrPortFrom(a, 848).String(), nil
}

// hexadecimal is a number of so many digits, with or without 0x in front and blanks between them.
func hexadecimal(text string, digits int) (string, error) {
	plain := strings.TrimPrefix(strings.ToLower(strings.Join(strings.Fields(text), "")), "0x")
	if plain == "" || len(plain) > digits || strings.Trim(plain, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is no hexadecimal number of at most %d digits", text, digits)
	}
	return strings.Repeat("0", digits-len(plain)) + plain, nil
}

var clock = regexp.MustCompile(`^(?:(\d{1,6}):)?(\d{1,6}):(\d{2})$`)

// end is the moment until which a time is left: seconds, or hours, minutes and seconds.
func end(now time.Time, text string) (time.Time, error) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return now.Add(time.Duration(n) * time.Second), nil
	}
	parts := clock.FindStringSubmatch(text)
	if parts == nil {
		return time.Time{}, fmt.Errorf("%q is no time; known are seconds and hours:minutes:seconds", text)
	}
	seconds := 0
	for _, p := range parts[1:] {
		n, _ := strconv.Atoi(p) // digits only, or nothing
		seconds = 60*seconds + n
	}
	return now.Add(time.Duration(seconds) * time.Second), nil
}

// read reads the fields of a thing. An error names the field.
func (s *state) read(k Kind, t Thing) error {
	for _, f := range fields[k] {
		if text, ok := t[f.name]; ok {
			if err := f.read(s, text); err != nil {
				return fmt.Errorf("router: the field %s of a %s: %w", f.name, k, err)
			}
		}
	}
	return nil
}

// read reads a group with its SAs and members.
func read(now time.Time, found Found) (s state, members []control.KSMember, err error) {
	s.now = now
	if err := s.read(Group, found.Thing); err != nil {
		return s, nil, err
	}
	for _, t := range found.SAs {
		s.sa = control.SA{}
		if err := s.read(SA, t); err != nil {
			return s, nil, err
		}
		s.group.SAs = append(s.group.SAs, s.sa)
	}
	for _, t := range found.Members {
		s.member = control.KSMember{}
		if err := s.read(Member, t); err != nil {
			return s, nil, err
		}
		members = append(members, s.member)
	}
	return s, members, nil
}

// MemberStatus is what was found, as the status of a member at that time.
func MemberStatus(now time.Time, name string, found []Found) (control.GMStatus, error) {
	status := control.GMStatus{Role: "GM", Name: name, Time: now}
	var groups []control.GMGroup
	for _, f := range found {
		s, _, err := read(now, f)
		if err != nil {
			return status, err
		}
		groups = append(groups, s.group)
	}
	if len(groups) > 0 {
		status.GMGroup = groups[0]
	}
	if len(groups) > 1 {
		status.Groups = groups
	}
	return status, nil
}

// KeyServerStatus is what was found, as the status of a key server at that time.
func KeyServerStatus(now time.Time, name string, found []Found) (control.KSStatus, error) {
	status := control.KSStatus{Role: "KS", Name: name, Time: now}
	for _, f := range found {
		s, members, err := read(now, f)
		if err != nil {
			return status, err
		}
		g := control.KSGroup{Name: s.name, ID: s.group.Group, Rekey: s.group.Rekey, Sequence: s.group.Sequence, RekeyExpiry: s.group.RekeyExpiry,
			SAs: s.group.SAs, Members: members, RekeyCounts: control.RekeyCounts{Rekeys: s.group.Rekeys}}
		if s.group.Pseudotime != nil {
			g.Pseudotime = s.group.Pseudotime.Value
		}
		status.Groups = append(status.Groups, g)
	}
	return status, nil
}
