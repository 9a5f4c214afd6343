package uml

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// modules are what ESP needs beside what the kernel has built in. The crypto layer would ask for what it misses by a program that is
// not there, so all of it is loaded before.
var modules = []string{"xfrm_user", "esp4", "xfrm4_tunnel", "gcm", "ccm", "ctr", "ghash-generic", "seqiv", "echainiv", "hmac", "authenc",
	"authencesn", "cbc", "des_generic", "sha512_generic", "ecb", "drbg"}

// modulesRoot has a folder for each kernel.
const modulesRoot = "/usr/lib/uml/modules"

// load loads modules and what they depend on.
func load(names ...string) error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	dir := filepath.Join(modulesRoot, unix.ByteSliceToString(u.Release[:]))
	list, err := os.Open(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return fmt.Errorf("the kernel's modules: %w", err)
	}
	defer list.Close()
	needs, err := dependencies(list)
	if err != nil {
		return fmt.Errorf("the kernel's modules: %w", err)
	}
	for _, name := range names {
		if len(needs[name]) == 0 {
			return fmt.Errorf("the kernel has no module %s", name)
		}
		for _, file := range needs[name] {
			if err := loadFile(filepath.Join(dir, file)); err != nil {
				return fmt.Errorf("module %s: %w", file, err)
			}
		}
	}
	return nil
}

// dependencies reads modules.dep: of each module by its name, the files to be loaded in their order, its own last.
func dependencies(list io.Reader) (map[string][]string, error) {
	needs := make(map[string][]string)
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		file, others, ok := strings.Cut(lines.Text(), ":")
		if !ok {
			return nil, fmt.Errorf("modules.dep: %q has no colon", lines.Text())
		}
		all := []string{file}
		for _, other := range strings.Fields(others) { // whatever another needs stands behind it
			all = append([]string{other}, all...)
		}
		needs[strings.TrimSuffix(filepath.Base(file), ".ko")] = all
	}
	return needs, lines.Err()
}

// loadFile loads a module, unless it has been loaded.
func loadFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}
