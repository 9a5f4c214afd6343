package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
)

// Everything that a run makes outside of itself carries its owner's mark: "gdoilab-PID-START", where START is the time at
// which the process was started, so that a process number used again is not mistaken for the owner. Namespaces and
// folders have it in their names, processes in their environment, containers in a label.
const (
	markPrefix = "gdoilab-"
	netnsDir   = "/run/netns"
)

// OwnerEnv names the variable of a process's environment that has the mark.
const OwnerEnv = "GDOILAB_OWNER"

// owner returns this process's mark.
func owner() string {
	return fmt.Sprintf("%s%d-%s", markPrefix, os.Getpid(), startTime(os.Getpid()))
}

// startTime returns the 22nd field of /proc/PID/stat, or "" if there is no such process.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, fields, ok := strings.Cut(string(stat), ") ") // the name before it may hold anything
	if parts := strings.Fields(fields); ok && len(parts) > 19 {
		return parts[19]
	}
	return ""
}

// abandoned reports whether a name carries the mark of an owner that no longer runs.
func abandoned(name string) bool {
	rest, ok := strings.CutPrefix(name, markPrefix)
	parts := strings.SplitN(rest, "-", 3)
	if !ok || len(parts) < 2 {
		return false
	}
	pid, err := strconv.Atoi(parts[0])
	return err == nil && startTime(pid) != parts[1]
}

// Reap removes the processes, namespaces, folders and containers of runs that died without cleaning up, and returns what it removed.
// What has no mark, or whose owner still runs, is not touched.
func Reap() ([]string, error) {
	var removed []string
	var errs []error
	for _, pid := range orphans() {
		errs = append(errs, unlessGone(syscall.Kill(pid, syscall.SIGKILL)))
		removed = append(removed, fmt.Sprintf("process %d", pid))
	}
	for _, name := range names(netnsDir) {
		if abandoned(name) {
			errs = append(errs, unlessGone(deleteSpace(name)))
			removed = append(removed, "namespace "+name)
		}
	}
	for _, name := range names(os.TempDir()) {
		if abandoned(name) {
			errs = append(errs, unlessGone(os.RemoveAll(filepath.Join(os.TempDir(), name))))
			removed = append(removed, "folder "+name)
		}
	}
	if engine != nil {
		gone, err := engine.Reap(abandoned)
		errs = append(errs, err)
		for _, name := range gone {
			removed = append(removed, "container "+name)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return removed, fmt.Errorf("lab: removing what an earlier run left behind: %w", err)
	}
	return removed, nil
}

func names(dir string) []string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	found := make([]string, 0, len(list))
	for _, e := range list {
		found = append(found, e.Name())
	}
	return found
}

// deleteSpace removes a namespace, or its bare name if the owner died between making the one and the other.
func deleteSpace(name string) error {
	err := netns.DeleteNamed(name)
	if errors.Is(err, syscall.EINVAL) {
		return os.Remove(filepath.Join(netnsDir, name))
	}
	return err
}

// unlessGone overlooks that another run was quicker to remove the same thing.
func unlessGone(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// orphans returns the processes whose environment names an owner that no longer runs.
func orphans() []int {
	var pids []int
	for _, name := range names("/proc") {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", name, "environ"))
		if err != nil {
			continue
		}
		for _, v := range strings.Split(string(environ), "\x00") {
			if mark, ok := strings.CutPrefix(v, OwnerEnv+"="); ok && abandoned(mark) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
