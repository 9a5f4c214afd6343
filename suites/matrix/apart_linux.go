package matrix

import (
	"os/exec"
	"runtime"
	"syscall"
)

// apart has a program be in a process group of its own, so that Ctrl-C comes to us, who pass it on once; and end in order when we are killed.
func apart(cmd *exec.Cmd) {
	runtime.LockOSThread() // the signal comes with the end of the thread that has started the program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
}
