package dataplane

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Every thread has the policy, those that were started later too.
func TestBatch(t *testing.T) {
	if err := Batch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := schedule(unix.SCHED_NORMAL); err != nil {
			t.Error(err)
		}
	})
	var started, checked sync.WaitGroup
	end := make(chan struct{})
	for range 10 {
		started.Add(1)
		checked.Go(func() {
			runtime.LockOSThread() // and so a thread of its own, which ends with it
			started.Done()
			<-end
		})
	}
	started.Wait()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) < 10 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		if attr, err := unix.SchedGetAttr(id, 0); err == nil && attr.Policy != unix.SCHED_BATCH {
			t.Errorf("thread %d has policy %d", id, attr.Policy)
		}
	}
	close(end)
	checked.Wait()
}
