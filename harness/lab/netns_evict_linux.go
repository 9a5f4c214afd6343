package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// inhabitants are the processes in a node's namespace but ourselves, each as "number (name)".
func (n *kernelNet) inhabitants(node string) (pids []int, known []string) {
	var own syscall.Stat_t
	if err := syscall.Stat(filepath.Join(netnsDir, n.spaceName(node)), &own); err != nil {
		return nil, nil
	}
	for _, entry := range names("/proc") {
		pid, err := strconv.Atoi(entry)
		var of syscall.Stat_t
		if err != nil || pid == os.Getpid() || syscall.Stat(filepath.Join("/proc", entry, "ns/net"), &of) != nil || of.Ino != own.Ino || of.Dev != own.Dev {
			continue
		}
		command, _ := os.ReadFile(filepath.Join("/proc", entry, "comm"))
		pids, known = append(pids, pid), append(known, fmt.Sprintf("%d (%s)", pid, strings.TrimSpace(string(command))))
	}
	return pids, known
}

// evict kills who is still in a node's namespace, which is an error.
func (n *kernelNet) evict(node string) error {
	pids, known := n.inhabitants(node)
	if len(pids) == 0 {
		return nil
	}
	err := fmt.Errorf("lab: %s was stopped, and still there was process %s", node, strings.Join(known, ", "))
	for _, pid := range pids {
		err = errors.Join(err, unlessGone(syscall.Kill(pid, syscall.SIGKILL)))
	}
	return err
}

// Left are the processes in a node's namespace.
func (n *kernelNet) Left(node string) []string {
	_, known := n.inhabitants(node)
	return known
}
