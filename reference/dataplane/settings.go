package dataplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// settings remembers the kernel's settings that were changed. Their files stay open, since an open file belongs to the
// network namespace in which it was opened.
type settings struct{ changed []setting }

type setting struct {
	file   *os.File
	before string
}

// forwarding lets packets be forwarded between the devices and the interfaces. The devices get packets with any source,
// some with an address of the host itself, so reverse path filters have to be off for them; the strictest of a device's
// own setting and that for all of them counts.
func (s *settings) forwarding(tuns, links []string) error {
	var errs []error
	for _, name := range tuns {
		errs = append(errs,
			s.set("ipv4", name, "rp_filter", "0"),
			s.set("ipv4", name, "accept_local", "1"),
			s.set("ipv4", name, "forwarding", "1"))
	}
	for _, name := range links {
		errs = append(errs, s.set("ipv4", name, "rp_filter", "0"), s.set("ipv4", name, "forwarding", "1"))
	}
	errs = append(errs, s.set("ipv4", "all", "rp_filter", "0"))
	if speaksIPv6(tuns[0]) {
		errs = append(errs, s.forwarding6())
	}
	return errors.Join(errs...)
}

const conf6 = "/proc/sys/net/ipv6/conf"

// hasIPv6 reports whether the kernel has IPv6 at all.
func hasIPv6() bool {
	_, err := os.Stat(conf6)
	return err == nil
}

// speaksIPv6 reports whether IPv6 is switched on for an interface.
func speaksIPv6(link string) bool {
	data, err := os.ReadFile(filepath.Join(conf6, link, "disable_ipv6"))
	return err == nil && strings.TrimSpace(string(data)) == "0"
}

// forwarding6 makes the namespace an IPv6 router: nothing is forwarded between any two interfaces else. That changes the
// setting of every interface, so they are all remembered.
func (s *settings) forwarding6() error {
	links, err := os.ReadDir(conf6)
	if err != nil {
		return err
	}
	for _, link := range links {
		if link.Name() == "all" {
			continue
		}
		if err := s.keep(filepath.Join(conf6, link.Name(), "forwarding")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.set("ipv6", "all", "forwarding", "1")
}

// keep remembers a setting that the change of another one changes too.
func (s *settings) keep(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	s.changed = append(s.changed, setting{file, strings.TrimSpace(string(data))})
	return nil
}

// set changes one setting of an interface, unless it has the value already.
func (s *settings) set(family, link, name, value string) error {
	path := filepath.Join("/proc/sys/net", family, "conf", link, name)
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before := strings.TrimSpace(string(data))
	if before == value {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := file.WriteAt([]byte(value), 0); err != nil {
		return errors.Join(fmt.Errorf("setting it to %s: %w", value, err), file.Close())
	}
	s.changed = append(s.changed, setting{file, before})
	return nil
}

// restore puts everything back, last change first. Interfaces that are gone took their settings with them.
func (s *settings) restore() error {
	var errs []error
	for i := len(s.changed) - 1; i >= 0; i-- {
		c := s.changed[i]
		if _, err := c.file.WriteAt([]byte(c.before), 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		_ = c.file.Close()
	}
	s.changed = nil
	return errors.Join(errs...)
}
