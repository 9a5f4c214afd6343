package kit

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Claims tell worker processes which specs are taken. They are in memory that all of them share, a table of hashes of ids, so that
// each spec goes to whoever comes to it first: a worker with long specs leaves the next ones to the others.
type Claims struct{ slots []uint64 }

// claimSlots is several times the number of specs there are, so that a free slot is found soon.
const claimSlots = 1 << 16

// newClaims makes a file without a name, for OpenClaims in the workers.
func newClaims() (*os.File, error) {
	f, err := os.CreateTemp("", "gdoilab-claims-")
	if err != nil {
		return nil, fmt.Errorf("claims of the workers: %w", err)
	}
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(claimSlots*8)); err != nil {
		return nil, errors.Join(fmt.Errorf("claims of the workers: %w", err), f.Close())
	}
	return f, nil
}

// OpenClaims shares the claims in a file that Spread has handed to this process.
func OpenClaims(f *os.File) (*Claims, error) {
	memory, err := unix.Mmap(int(f.Fd()), 0, claimSlots*8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("claims of the workers: %w", err)
	}
	return &Claims{unsafe.Slice((*uint64)(unsafe.Pointer(&memory[0])), claimSlots)}, nil
}

// take claims a spec, and reports whether nobody else has.
func (c *Claims) take(id string) bool {
	h := fnv.New64a()
	h.Write([]byte(id))
	hash := h.Sum64() | 1 // never 0, which is a free slot
	for i := hash % claimSlots; ; i = (i + 1) % claimSlots {
		if atomic.CompareAndSwapUint64(&c.slots[i], 0, hash) {
			return true
		}
		if atomic.LoadUint64(&c.slots[i]) == hash {
			return false
		}
	}
}
