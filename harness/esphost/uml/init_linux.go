package uml

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/harness/esphost"
)

// beInit serves on the console until its other end is closed, and halts the kernel.
func beInit() error {
	err := serve()
	if err != nil {
		fmt.Println("uml:", err)
	}
	return errors.Join(err, unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

func serve() error {
	if err := raw(os.Stdin); err != nil {
		return err
	}
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}} {
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.at, err)
		}
	}
	if err := load(modules...); err != nil {
		return err
	}
	fmt.Println(release() + " is up")
	return esphost.Serve(os.Stdin, os.Stdout, &host{})
}

// raw has the console pass on lines of any length, without an echo.
func raw(console *os.File) error {
	fd := int(console.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("the console: %w", err)
	}
	t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	t.Iflag &^= unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("the console: %w", err)
	}
	return nil
}

// release is the kernel's name and version.
func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "a kernel"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
