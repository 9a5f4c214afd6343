package netbench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processor is the time that the site's programs and this process, which sends and receives, have had.
func (s *site) processor() time.Duration {
	s.b.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		s.b.Fatal(err)
	}
	all := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, p := range s.programs {
		used, err := processorOf(p.Process.Pid)
		if err != nil {
			s.b.Fatal(err)
		}
		all += used
	}
	return all
}

// processorOf reads what the kernel counts for a process, in hundredths of a second.
func processorOf(pid int) (all time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything
	for _, field := range strings.Fields(after)[11:13] {
		ticks, err := strconv.ParseUint(field, 10, 63)
		if err != nil {
			return 0, err
		}
		all += time.Duration(ticks) * 10 * time.Millisecond
	}
	return all, nil
}
