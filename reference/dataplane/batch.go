package dataplane

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Batch puts every thread of this program, and so those that they start, under SCHED_BATCH (sched(7)): one that is woken does not
// take the processor from another that has work left. Gateways wake each other for every packet that stands for many, and carry more of
// a stream this way, but single packets later and, where senders are faster than they are, fewer of them.
func Batch() error { return schedule(unix.SCHED_BATCH) }

// schedule looks until no thread is left that one without the policy may have started meanwhile.
func schedule(policy uint32) error {
	for changed := true; changed; {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		changed = false
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			now, err := scheduled(id, policy)
			if err != nil {
				return fmt.Errorf("scheduling policy of thread %d: %w", id, err)
			}
			changed = changed || now
		}
	}
	return nil
}

// scheduled reports whether a thread has got the policy now, and leaves all else as it is.
func scheduled(thread int, policy uint32) (now bool, err error) {
	attr, err := unix.SchedGetAttr(thread, 0)
	if err == nil && attr.Policy == policy {
		return false, nil
	}
	if err == nil {
		attr.Policy = policy
		err = unix.SchedSetAttr(thread, attr, 0)
	}
	if err == unix.ESRCH { // it has ended
		return false, nil
	}
	return err == nil, err
}
