package uml

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// boot becomes the kernel that the arguments name.
func boot() error {
	if len(os.Args) < 2 {
		return errors.New("no kernel is named")
	}
	if err := os.Unsetenv(Env); err != nil {
		return err
	}
	runtime.LockOSThread() // the filter is that of the thread that becomes the kernel
	if err := hideExtendedState(); err != nil {
		return fmt.Errorf("system call filter: %w", err)
	}
	return fmt.Errorf("%s: %w", os.Args[1], unix.Exec(os.Args[1], os.Args[1:], os.Environ()))
}

// hideExtendedState has ptrace(PTRACE_GETREGSET) fail. Where a processor has more state than a kernel in user mode has room for
// (AMX), it reads what fits, cannot write that back, and its first process dies; without the call it falls back to the registers of
// SSE. Go has to make do with these in it, which GODEBUG=cpu.all=off tells it.
func hideExtendedState() error {
	const number, request = 0, 16 // places in struct seccomp_data
	refuse, allow := unix.SECCOMP_RET_ERRNO|uint32(unix.EINVAL), uint32(unix.SECCOMP_RET_ALLOW)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_PTRACE, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: request},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.PTRACE_GETREGSET, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse},
		{Code: unix.BPF_RET | unix.BPF_K, K: allow},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
