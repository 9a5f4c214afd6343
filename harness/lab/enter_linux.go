package lab

import (
	"fmt"

	"github.com/vishvananda/netns"
)

// Enter runs f inside the network namespace of that path. What f starts, stays there.
func Enter(path string, f func() error) error {
	handle, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("lab: namespace %s: %w", path, err)
	}
	defer handle.Close()
	return within(handle, f)
}
